/**
 * The keys of the cluster table. One table can serve all clusters of an account. The partition key is `cluster` and the
 * sort key is `item`, both strings. The TTL attribute is `expiresAt`, in seconds since 1970. Every item has the attribute
 * `formatVersion`.
 */
export const tableKeys = { partition: "cluster", sort: "item", expiry: "expiresAt" } as const;

/** The version of the format of every item. A reader refuses another version. */
export const formatVersion = 1;

/** Items in the partition of a cluster. */
export const items = {
  record: "record",
  /** Followed by an instance id: the report of an instance. */
  reportPrefix: "report#",
  /** Followed by a time: an operator's action. */
  historyPrefix: "history#",
  /** Followed by a task's id: the result of a cluster setup. */
  setupResultPrefix: "setup-result#",
  /** How long the node may be away, by the last computation. */
  budget: "budget",
} as const;

/** A partition for each node id. Its item `owner` names the one cluster that the node belongs to. */
export const nodePartition = (nodeId: string): string => `node#${nodeId}`;
export const ownerItem = "owner";

/** Operators' requests have their own partition, so that a policy can permit requests and not the record. */
export const requestPartition = (cluster: string): string => `requests#${cluster}`;
export const switchoverItem = "switchover";
export const chainSnapshotItem = "chain-snapshot";
export const rotationItem = "rotation";
