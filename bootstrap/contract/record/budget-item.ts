import { GetCommand, PutCommand, type DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { Budget } from "../budget/budget.ts";
import { formatVersion, items } from "./keys.ts";

const Item = z.object({ formatVersion: z.literal(formatVersion), budget: Budget });

/** The item with the last budget of a cluster, which is known while the database is not. */
export class BudgetItem {
  private readonly client: DynamoDBDocumentClient;
  private readonly key: { readonly TableName: string; readonly Key: Record<string, string> };

  constructor(client: DynamoDBDocumentClient, TableName: string, cluster: string) {
    this.client = client;
    this.key = { TableName, Key: { cluster, item: items.budget } };
  }

  /** @returns undefined when no budget is stored, or when an image of another version stored another form */
  async read(): Promise<Budget | undefined> {
    const { Item: found } = await this.client.send(new GetCommand({ ...this.key, ConsistentRead: true }));
    return Item.safeParse(found).data?.budget;
  }

  /** The write has no condition: whichever instance computes a budget computes it from the same database. */
  async put(budget: Budget): Promise<void> {
    const { TableName, Key } = this.key;
    await this.client.send(new PutCommand({ TableName, Item: { ...Key, formatVersion, budget } }));
  }
}
