import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { plainMessage } from "../plain-messages.ts";
import type { LastEclair } from "../eclair/versions.ts";
import { ChainSnapshotRequest } from "../requests/chain-snapshot.ts";
import { finalSteps, Rotation, rotationLifetimeSeconds } from "../requests/rotation.ts";
import { Switchover } from "../requests/switchover.ts";
import { BudgetItem } from "./budget-item.ts";
import { conditionMet } from "./condition.ts";
import {
  chainSnapshotItem,
  formatVersion,
  items,
  nodePartition,
  ownerItem,
  rotationItem,
  switchoverItem,
} from "./keys.ts";
import { ClusterRecord, type DatabaseIdentity, type Progress } from "./record.ts";
import { RequestItem } from "./request-item.ts";

/** By the clock of the instance, which can be wrong by hours. The reader of a report decides whether it is too old. */
const reportLifetimeSeconds = 86_400;
const resultLifetimeSeconds = 3_600;

/** A time on an instance that does not depend on its clock. */
export type BootTimestamp = {
  /** The kernel's boot id; another one after each boot. */
  readonly bootId: string;
  /** Seconds since that boot. */
  readonly uptimeSeconds: number;
};

/** The client for plain values; undefined values are left out. */
export function documentClient(client: DynamoDBClient): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/** What an operator did to a cluster, and why. */
export const HistoryEntry = z.looseObject({
  action: z.string(),
  reason: z.string(),
  at: z.iso.datetime(),
  requestedBy: z.string().optional(),
});
export type HistoryEntry = z.infer<typeof HistoryEntry>;

/** DynamoDB reserves many names in expressions, so each name has a placeholder. */
const ifAbsent = {
  ConditionExpression: "attribute_not_exists(#cluster)",
  ExpressionAttributeNames: { "#cluster": "cluster" },
};

const version = z.literal(formatVersion);
const RecordItem = z.object({ formatVersion: version, record: ClusterRecord });
const OwnerItem = z.object({ formatVersion: version, owner: z.string() });
const HistoryItem = z.object({ formatVersion: version, entry: HistoryEntry });
const ResultItem = z.object({ formatVersion: version, result: z.unknown() });
const ReportItem = z.object({
  formatVersion: version,
  item: z.string(),
  reportedAt: z.string(),
  report: z.unknown(),
  expiresAt: z.number(),
});

const expiresAt = (now: Date, seconds: number) => Math.floor(now.getTime() / 1000) + seconds;

/** The items of one cluster in the cluster table. Every write of a record, a request or a report has a condition. */
export class ClusterTable {
  private readonly client: DynamoDBDocumentClient;
  readonly name: string;
  readonly cluster: string;
  readonly switchovers: RequestItem<Switchover>;
  readonly chainSnapshots: RequestItem<ChainSnapshotRequest>;
  readonly rotations: RequestItem<Rotation>;
  readonly budget: BudgetItem;

  constructor(client: DynamoDBDocumentClient, name: string, cluster: string) {
    this.client = client;
    this.name = name;
    this.cluster = cluster;
    this.switchovers = new RequestItem(client, name, cluster, {
      item: switchoverItem,
      schema: Switchover,
      finalSteps: ["serving", "reverted"],
    });
    this.chainSnapshots = new RequestItem(client, name, cluster, {
      item: chainSnapshotItem,
      schema: ChainSnapshotRequest,
      finalSteps: ["resumed", "aborted"],
    });
    this.rotations = new RequestItem(client, name, cluster, {
      item: rotationItem,
      schema: Rotation,
      finalSteps,
      lifetimeSeconds: rotationLifetimeSeconds,
    });
    this.budget = new BudgetItem(client, name, cluster);
  }

  private key(item: string) {
    return { TableName: this.name, Key: { cluster: this.cluster, item } };
  }

  async record(): Promise<ClusterRecord | undefined> {
    const { Item } = await this.client.send(
      new GetCommand({ ...this.key(items.record), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : RecordItem.parse(Item, { error: plainMessage }).record;
  }

  /** @returns false when the cluster has a record, or when the node belongs to another cluster */
  async create(record: ClusterRecord): Promise<boolean> {
    const put = {
      TableName: this.name,
      Item: { cluster: this.cluster, item: items.record, formatVersion, record },
      ...ifAbsent,
    };
    const own = {
      TableName: this.name,
      Item: {
        cluster: nodePartition(record.node.nodeId),
        item: ownerItem,
        formatVersion,
        owner: this.cluster,
      },
      ConditionExpression: `${ifAbsent.ConditionExpression} OR #owner = :owner`,
      ExpressionAttributeNames: { ...ifAbsent.ExpressionAttributeNames, "#owner": "owner" },
      ExpressionAttributeValues: { ":owner": this.cluster },
    };
    return await conditionMet(() =>
      this.client.send(new TransactWriteCommand({ TransactItems: [{ Put: put }, { Put: own }] })),
    );
  }

  /** The cluster in this table that a node belongs to. */
  async ownerOf(nodeId: string): Promise<string | undefined> {
    const { Item } = await this.client.send(
      new GetCommand({
        TableName: this.name,
        Key: { cluster: nodePartition(nodeId), item: ownerItem },
        ConsistentRead: true,
      }),
    );
    return Item === undefined ? undefined : OwnerItem.parse(Item, { error: plainMessage }).owner;
  }

  /**
   * Copies the progress of the database into the record.
   * @returns false when the record names another database, or is ahead: then the database is no longer the node's
   */
  async mirror(
    database: DatabaseIdentity,
    progress: Progress,
    lastEclair: LastEclair,
    now: Date,
  ): Promise<boolean> {
    return await conditionMet(() =>
      this.client.send(
        new UpdateCommand({
          ...this.key(items.record),
          UpdateExpression: "SET #r.progress = :progress, #r.lastEclair = :eclair, #r.updatedAt = :now",
          ConditionExpression: `#r.#d.id = :id AND (${[
            "#r.progress.generation < :generation",
            "(#r.progress.generation = :generation AND #r.progress.#c <= :counter)",
          ].join(" OR ")})`,
          ExpressionAttributeNames: { "#r": "record", "#d": "database", "#c": "counter" },
          ExpressionAttributeValues: {
            ":progress": progress,
            ":eclair": lastEclair,
            ":now": now.toISOString(),
            ":id": database.id,
            ":generation": progress.generation,
            ":counter": progress.counter,
          },
        }),
      ),
    );
  }

  /**
   * Replaces the record after its database was bound again, and stores the reason in the history. Both
   * `database repoint` and `database confirm-upgrade` use it.
   * @returns false when the record is no longer `before`
   */
  async replaceRecord(before: ClusterRecord, after: ClusterRecord, entry: HistoryEntry): Promise<boolean> {
    const update = {
      ...this.key(items.record),
      UpdateExpression: "SET #r = :after",
      ConditionExpression: "#r = :before",
      ExpressionAttributeNames: { "#r": "record" },
      ExpressionAttributeValues: { ":before": before, ":after": after },
    };
    const put = {
      TableName: this.name,
      Item: { cluster: this.cluster, item: `${items.historyPrefix}${entry.at}`, formatVersion, entry },
      ...ifAbsent,
    };
    return await conditionMet(() =>
      this.client.send(new TransactWriteCommand({ TransactItems: [{ Update: update }, { Put: put }] })),
    );
  }

  async history(): Promise<HistoryEntry[]> {
    return (await this.queryPrefix(items.historyPrefix)).map(
      (item) => HistoryItem.parse(item, { error: plainMessage }).entry,
    );
  }

  /**
   * Stores the report of an instance, unless a later report exists. The boot and its uptime decide which report is
   * later, not the clock: after a clock that was ahead is set back, the table would refuse every report.
   */
  async putReport(
    instanceId: string,
    report: object,
    now: Date,
    { bootId, uptimeSeconds }: BootTimestamp,
  ): Promise<void> {
    await conditionMet(() =>
      this.client.send(
        new PutCommand({
          TableName: this.name,
          Item: {
            cluster: this.cluster,
            item: `${items.reportPrefix}${instanceId}`,
            formatVersion,
            reportedAt: now.toISOString(),
            bootId,
            uptimeSeconds,
            report,
            expiresAt: expiresAt(now, reportLifetimeSeconds),
          },
          ConditionExpression: `${ifAbsent.ConditionExpression} OR bootId <> :boot OR uptimeSeconds <= :uptime`,
          ExpressionAttributeNames: ifAbsent.ExpressionAttributeNames,
          ExpressionAttributeValues: { ":boot": bootId, ":uptime": uptimeSeconds },
        }),
      ),
    );
  }

  /** The reports of the instances by instance id. DynamoDB removes an expired item only after some time. */
  async reports(now: Date): Promise<Map<string, { readonly reportedAt: string; readonly report: unknown }>> {
    const found = new Map<string, { reportedAt: string; report: unknown }>();
    for (const value of await this.queryPrefix(items.reportPrefix)) {
      const item = ReportItem.parse(value, { error: plainMessage });
      if (item.expiresAt * 1000 <= now.getTime()) continue;
      const { reportedAt, report } = item;
      found.set(item.item.slice(items.reportPrefix.length), { reportedAt, report });
    }
    return found;
  }

  /** Stores the result of a cluster setup. */
  async putSetupResult(id: string, result: object, now: Date): Promise<void> {
    await this.client.send(
      new PutCommand({
        TableName: this.name,
        Item: {
          cluster: this.cluster,
          item: `${items.setupResultPrefix}${id}`,
          formatVersion,
          result,
          expiresAt: expiresAt(now, resultLifetimeSeconds),
        },
        ...ifAbsent,
      }),
    );
  }

  async setupResult(id: string): Promise<unknown> {
    const { Item } = await this.client.send(
      new GetCommand({ ...this.key(`${items.setupResultPrefix}${id}`), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : ResultItem.parse(Item, { error: plainMessage }).result;
  }

  private async queryPrefix(prefix: string): Promise<Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
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
      found.push(...Items);
      start = LastEvaluatedKey;
    } while (start !== undefined);
    return found;
  }
}
