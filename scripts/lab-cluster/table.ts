import {
  CreateTableCommand,
  DescribeTableCommand,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
  type DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import { tableKeys } from "../../bootstrap/contract/record/keys.ts";
import { findOrCreate } from "./find-or-create.ts";

/** The cluster table, with the settings that docs/identity.md describes. Two clusters can create it at the same time. */
export async function createClusterTable(client: DynamoDBClient, TableName: string): Promise<void> {
  const find = async () => (await client.send(new DescribeTableCommand({ TableName }))).Table;
  await findOrCreate(find, async () => {
    try {
      return await create(client, TableName);
    } catch (error) {
      if (error instanceof ResourceInUseException) return await find();
      throw error;
    }
  });
}

async function create(client: DynamoDBClient, TableName: string) {
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
}
