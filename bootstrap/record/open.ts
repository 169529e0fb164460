import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { clientSettings, impatientRole, type AwsSettings } from "../aws/clients.ts";
import { ClusterTable, documentClient } from "./table.ts";

/** A takeover waits for it, and a supervisor tries again by itself. */
export const impatient = {
  credentials: impatientRole,
  maxAttempts: 2,
  requestHandler: { requestTimeout: 2_000, throwOnRequestTimeout: true, connectionTimeout: 1_000 },
} as const;

/** The table of a cluster, as this instance's role may use it. */
export function clusterTable(
  {
    configuration: { record, cluster },
    aws,
  }: {
    readonly configuration: { readonly record: { readonly table: string }; readonly cluster: string };
    readonly aws: AwsSettings;
  },
  overrides: Partial<typeof impatient> = {},
): ClusterTable {
  const client = new DynamoDBClient({ ...clientSettings(aws), ...overrides });
  return new ClusterTable(documentClient(client), record.table, cluster);
}
