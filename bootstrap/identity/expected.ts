import type { ClusterRecord, NodeIdentity } from "../contract/record/record.ts";

/** The node that an instance is to run, by its configuration, its secrets and its image. */
export type Expected = {
  readonly cluster: string;
  readonly node: NodeIdentity;
  readonly database: { readonly host: string; readonly port: number; readonly name: string };
  /** The version of the image's Eclair. */
  readonly eclair: string;
  /** The version of the fence that this image knows. */
  readonly fence: number;
};

/** The part of `Expected` that does not depend on the image. */
export type ExpectedNode = Pick<Expected, "cluster" | "node" | "database">;

/**
 * The cluster record as it was read. `unreachable` only when the configuration permits a start without the record.
 */
export type ObservedRecord = ClusterRecord | "none" | "unreachable";
