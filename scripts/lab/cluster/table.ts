import {
  CreateTableCommand,
  DescribeTableCommand,
  UpdateTimeToLiveCommand,
  type DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import { tableKeys } from "../../../bootstrap/record/table.ts";
import { findOrMake } from "./find-or-make.ts";

/** The table of the cluster records, as docs/identity.md says it is to be made. */
export async function recordTable(client: DynamoDBClient, TableName: string): Promise<void> {
  await findOrMake(
    async () => (await client.send(new DescribeTableCommand({ TableName }))).Table,
    async () => {
      const { TableDescription } = await client.send(
        new CreateTableCommand({
          TableName,
          BillingMode: "PAY_PER_REQUEST",
          AttributeDefinitions: [
            { AttributeName: tableKeys.partition, AttributeType: "S" },
            { AttributeName: tableKeys.sort, AttributeType: "S" },
          ],
          KeySchema: [
            { AttributeName: tableKeys.partition, KeyType: "HASH" },
            { AttributeName: tableKeys.sort, KeyType: "RANGE" },
          ],
          DeletionProtectionEnabled: true,
        }),
      );
      await client.send(
        new UpdateTimeToLiveCommand({
          TableName,
          TimeToLiveSpecification: { Enabled: true, AttributeName: tableKeys.expiry },
        }),
      );
      return TableDescription;
    },
  );
}
