import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  type DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { ClusterRecord, type DatabaseIdentity, type Progress } from "./record.ts";
import type { LastRun } from "../eclair/schemas.ts";
import { Switchover } from "./switchover.ts";

/**
 * One table holds the records of all clusters of an account, or one each: its partition key is `cluster`, its sort
 * key `item`, both texts; its attribute for expiry is `expires`. `record` is the cluster record, `instance#ID` what
 * an instance says of itself, `history#TIME` what an operator did, `result#ID` how a task went.
 */
export const tableKeys = { partition: "cluster", sort: "item", expiry: "expires" } as const;

const recordItem = "record";
/** Beside the clusters' partitions there is one for every node, with the one cluster that the node is of. */
const nodePartition = (nodeId: string) => `node#${nodeId}`;
const ownerItem = "owner";
/** What operators ask of a cluster stands apart from its record, so that who may ask can't touch that. */
export const requestPartition = (cluster: string) => `requests#${cluster}`;
const switchoverItem = "switchover";
const requestLifeSeconds = 24 * 3_600;
const reportPrefix = "instance#";
const historyPrefix = "history#";
const resultPrefix = "result#";
/**
 * A report that is not renewed is of an instance that is gone. By the clock of the instance, which may be wrong by hours;
 * how old a report is, its reader judges.
 */
const reportLifeSeconds = 86_400;
const resultLifeSeconds = 3_600;

/** When something happened on an instance, whatever its clock says. */
export type Moment = {
  /** The kernel's, another one after each boot. */
  readonly bootId: string;
  /** Seconds since then. */
  readonly uptime: number;
};

/** Makes the client by which a table is used, of plain values; what is undefined is left out. */
export function documentClient(client: DynamoDBClient): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/** What an operator did to a cluster, and why. */
export const HistoryEntry = z.looseObject({ what: z.string(), reason: z.string(), at: z.iso.datetime() });
export type HistoryEntry = z.infer<typeof HistoryEntry>;

/** Many names are reserved in DynamoDB's expressions, so each stands behind a `#`. */
const unlessThere = {
  ConditionExpression: "attribute_not_exists(#cluster)",
  ExpressionAttributeNames: { "#cluster": "cluster" },
};

const stored = z.object({ record: ClusterRecord });
const owned = z.object({ owner: z.string() });
const wanted = z.object({ request: Switchover });

/** A cluster's items in the table; every write has a condition. */
export class ClusterTable {
  private readonly client: DynamoDBDocumentClient;
  readonly name: string;
  readonly cluster: string;

  constructor(client: DynamoDBDocumentClient, name: string, cluster: string) {
    this.client = client;
    this.name = name;
    this.cluster = cluster;
  }

  private key(item: string) {
    return { TableName: this.name, Key: { cluster: this.cluster, item } };
  }

  async record(): Promise<ClusterRecord | undefined> {
    const { Item } = await this.client.send(
      new GetCommand({ ...this.key(recordItem), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : stored.parse(Item).record;
  }

  /** False when there is a record already, or when the node is another cluster's. */
  async create(record: ClusterRecord): Promise<boolean> {
    const put = {
      TableName: this.name,
      Item: { cluster: this.cluster, item: recordItem, record },
      ...unlessThere,
    };
    const own = {
      TableName: this.name,
      Item: { cluster: nodePartition(record.node.nodeId), item: ownerItem, owner: this.cluster },
      ConditionExpression: `${unlessThere.ConditionExpression} OR #owner = :owner`,
      ExpressionAttributeNames: { ...unlessThere.ExpressionAttributeNames, "#owner": "owner" },
      ExpressionAttributeValues: { ":owner": this.cluster },
    };
    return await met(() =>
      this.client.send(new TransactWriteCommand({ TransactItems: [{ Put: put }, { Put: own }] })),
    );
  }

  /** The cluster of this table that a node is of. */
  async ownerOf(nodeId: string): Promise<string | undefined> {
    const { Item } = await this.client.send(
      new GetCommand({
        TableName: this.name,
        Key: { cluster: nodePartition(nodeId), item: ownerItem },
        ConsistentRead: true,
      }),
    );
    return Item === undefined ? undefined : owned.parse(Item).owner;
  }

  /**
   * Mirrors what the database has come to. False when the record names another database, or has come further:
   * then this database is no longer the node's.
   */
  async mirror(
    database: DatabaseIdentity,
    progress: Progress,
    lastRun: LastRun,
    now: Date,
  ): Promise<boolean> {
    return await met(() =>
      this.client.send(
        new UpdateCommand({
          ...this.key(recordItem),
          UpdateExpression: "SET #r.progress = :progress, #r.eclair = :eclair, #r.updatedAt = :now",
          ConditionExpression: `#r.#d.id = :id AND (${[
            "#r.progress.generation < :generation",
            "(#r.progress.generation = :generation AND #r.progress.#c <= :counter)",
          ].join(" OR ")})`,
          ExpressionAttributeNames: { "#r": "record", "#d": "database", "#c": "counter" },
          ExpressionAttributeValues: {
            ":progress": progress,
            ":eclair": lastRun,
            ":now": now.toISOString(),
            ":id": database.id,
            ":generation": progress.generation,
            ":counter": progress.counter,
          },
        }),
      ),
    );
  }

  /** Names another database and writes down why; false when the record is no longer the one that was looked at. */
  async repoint(before: ClusterRecord, after: ClusterRecord, entry: HistoryEntry): Promise<boolean> {
    const update = {
      ...this.key(recordItem),
      UpdateExpression: "SET #r = :after",
      ConditionExpression: "#r = :before",
      ExpressionAttributeNames: { "#r": "record" },
      ExpressionAttributeValues: { ":before": before, ":after": after },
    };
    const put = {
      TableName: this.name,
      Item: { cluster: this.cluster, item: `${historyPrefix}${entry.at}`, entry },
      ...unlessThere,
    };
    return await met(() =>
      this.client.send(new TransactWriteCommand({ TransactItems: [{ Update: update }, { Put: put }] })),
    );
  }

  async history(): Promise<HistoryEntry[]> {
    return (await this.below(historyPrefix)).map(({ entry }) => HistoryEntry.parse(entry));
  }

  /**
   * What an instance says of itself; its own, unless a later one is there already. Which one is later is not for the time
   * of day to say: after a clock that was ahead is set back, nothing more would be heard.
   */
  async report(instanceId: string, report: object, now: Date, { bootId, uptime }: Moment): Promise<void> {
    await met(() =>
      this.client.send(
        new PutCommand({
          TableName: this.name,
          Item: {
            cluster: this.cluster,
            item: `${reportPrefix}${instanceId}`,
            at: now.toISOString(),
            bootId,
            uptime,
            report,
            expires: Math.floor(now.getTime() / 1000) + reportLifeSeconds,
          },
          ConditionExpression: `${unlessThere.ConditionExpression} OR attribute_not_exists(bootId) OR bootId <> :boot OR uptime <= :uptime`,
          ExpressionAttributeNames: unlessThere.ExpressionAttributeNames,
          ExpressionAttributeValues: { ":boot": bootId, ":uptime": uptime },
        }),
      ),
    );
  }

  /** How a task went that an operator asked for. */
  async tellResult(id: string, result: object, now: Date): Promise<void> {
    await this.client.send(
      new PutCommand({
        TableName: this.name,
        Item: {
          cluster: this.cluster,
          item: `${resultPrefix}${id}`,
          result,
          expires: Math.floor(now.getTime() / 1000) + resultLifeSeconds,
        },
        ...unlessThere,
      }),
    );
  }

  async result(id: string): Promise<unknown> {
    const { Item } = await this.client.send(
      new GetCommand({ ...this.key(`${resultPrefix}${id}`), ConsistentRead: true }),
    );
    return Item?.["result"];
  }

  async switchover(): Promise<Switchover | undefined> {
    const { Item } = await this.client.send(new GetCommand({ ...this.requestKey(), ConsistentRead: true }));
    return Item === undefined ? undefined : wanted.parse(Item).request;
  }

  /** False while another one goes on. */
  async askSwitchover(request: Switchover, now: Date): Promise<boolean> {
    const { TableName, Key } = this.requestKey();
    return await met(() =>
      this.client.send(
        new PutCommand({
          TableName,
          Item: { ...Key, request, expires: Math.floor(now.getTime() / 1000) + requestLifeSeconds },
          ConditionExpression: `${unlessThere.ConditionExpression} OR #r.#until <= :now OR #r.#step IN (:serving, :back)`,
          ExpressionAttributeNames: {
            ...unlessThere.ExpressionAttributeNames,
            "#r": "request",
            "#until": "until",
            "#step": "step",
          },
          ExpressionAttributeValues: { ":now": now.toISOString(), ":serving": "serving", ":back": "back" },
        }),
      ),
    );
  }

  /** Takes a switchover a step further; false when it is no longer where it was. */
  async stepSwitchover(before: Switchover, after: Switchover): Promise<boolean> {
    return await met(() =>
      this.client.send(
        new UpdateCommand({
          ...this.requestKey(),
          UpdateExpression: "SET #r = :after",
          ConditionExpression: "#r = :before",
          ExpressionAttributeNames: { "#r": "request" },
          ExpressionAttributeValues: { ":before": before, ":after": after },
        }),
      ),
    );
  }

  private requestKey() {
    return { TableName: this.name, Key: { cluster: requestPartition(this.cluster), item: switchoverItem } };
  }

  /** What the instances say of themselves, by their ids; DynamoDB removes what has expired only after a while. */
  async reports(now: Date): Promise<Map<string, { readonly at: string; readonly report: unknown }>> {
    const found = new Map<string, { at: string; report: unknown }>();
    for (const { item, at, report, expires } of await this.below(reportPrefix))
      if (Number(expires) * 1000 > now.getTime())
        found.set(String(item).slice(reportPrefix.length), { at: String(at), report });
    return found;
  }

  private async below(prefix: string): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.client.send(
        new QueryCommand({
          TableName: this.name,
          KeyConditionExpression: "#c = :cluster AND begins_with(#i, :prefix)",
          ExpressionAttributeNames: { "#c": "cluster", "#i": "item" },
          ExpressionAttributeValues: { ":cluster": this.cluster, ":prefix": prefix },
          ConsistentRead: true,
          ExclusiveStartKey: start,
        }),
      );
      items.push(...Items);
      start = LastEvaluatedKey;
    } while (start !== undefined);
    return items;
  }
}

/** Whether a write's condition was met. */
async function met(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    if (error instanceof TransactionCanceledException)
      if (error.CancellationReasons?.some(({ Code }) => Code === "ConditionalCheckFailed")) return false;
    throw error;
  }
}
