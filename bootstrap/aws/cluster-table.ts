import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ClusterTable, documentClient } from "../contract/record/table.ts";
import { clientSettings, quickInstanceRole, type AwsSettings } from "./clients.ts";

/** Settings for a supervisor: a takeover waits for a call, and the supervisor repeats a call by itself. */
export const supervisorClient = {
  credentials: quickInstanceRole,
  maxAttempts: 2,
  requestHandler: { requestTimeout: 2_000, throwOnRequestTimeout: true, connectionTimeout: 1_000 },
} as const;

/** The table of a cluster, with the permissions of this instance's role. */
export function clusterTable(
  {
    configuration: { record, cluster },
    aws,
  }: {
    readonly configuration: { readonly record: { readonly table: string }; readonly cluster: string };
    readonly aws: AwsSettings;
  },
  overrides: Partial<typeof supervisorClient> = {},
): ClusterTable {
  const client = new DynamoDBClient({ ...clientSettings(aws), ...overrides });
  return new ClusterTable(documentClient(client), record.table, cluster);
}
