import { GetCommand, PutCommand, UpdateCommand, type DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { plainMessage } from "../plain-messages.ts";
import { conditionMet } from "./condition.ts";
import { formatVersion, requestPartition } from "./keys.ts";

const defaultLifetimeSeconds = 24 * 3_600;

/** What every request of an operator has. */
type Request = { readonly step: string; readonly expiresAt: string };

export type RequestKind<T extends Request> = {
  /** The sort key of the item. */
  readonly item: string;
  readonly schema: z.ZodType<T>;
  /** A request in one of these steps has ended, and another one may replace it. */
  readonly finalSteps: readonly T["step"][];
  /** DynamoDB deletes the item after this time; a day by default. */
  readonly lifetimeSeconds?: number;
};

/** The item of one kind of request in the cluster table. Instances and operators advance it, each step with a condition. */
export class RequestItem<T extends Request> {
  private readonly client: DynamoDBDocumentClient;
  private readonly key: { readonly TableName: string; readonly Key: Record<string, string> };
  private readonly kind: RequestKind<T>;

  constructor(client: DynamoDBDocumentClient, TableName: string, cluster: string, kind: RequestKind<T>) {
    this.client = client;
    this.key = { TableName, Key: { cluster: requestPartition(cluster), item: kind.item } };
    this.kind = kind;
  }

  async read(): Promise<T | undefined> {
    const { Item } = await this.client.send(new GetCommand({ ...this.key, ConsistentRead: true }));
    if (Item === undefined) return undefined;
    z.object({ formatVersion: z.literal(formatVersion) }).parse(Item, { error: plainMessage });
    return this.kind.schema.parse(Item["request"], { error: plainMessage });
  }

  /** @returns false while another request is in progress */
  async put(request: T, now: Date): Promise<boolean> {
    const { TableName, Key } = this.key;
    const steps = this.kind.finalSteps.map((step, index) => [`:step${index}`, step] as const);
    return await conditionMet(() =>
      this.client.send(
        new PutCommand({
          TableName,
          Item: {
            ...Key,
            formatVersion,
            request,
            expiresAt:
              Math.floor(now.getTime() / 1000) + (this.kind.lifetimeSeconds ?? defaultLifetimeSeconds),
          },
          ConditionExpression: `attribute_not_exists(#cluster) OR #r.expiresAt <= :now OR #r.#step IN (${steps.map(([name]) => name).join(", ")})`,
          ExpressionAttributeNames: { "#cluster": "cluster", "#r": "request", "#step": "step" },
          ExpressionAttributeValues: { ":now": now.toISOString(), ...Object.fromEntries(steps) },
        }),
      ),
    );
  }

  /** @returns false when the request is no longer `before` */
  async advance(before: T, after: T): Promise<boolean> {
    return await conditionMet(() =>
      this.client.send(
        new UpdateCommand({
          ...this.key,
          UpdateExpression: "SET #r = :after",
          ConditionExpression: "#r = :before",
          ExpressionAttributeNames: { "#r": "request" },
          ExpressionAttributeValues: { ":before": before, ":after": after },
        }),
      ),
    );
  }
}
