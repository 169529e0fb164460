import { z } from "zod";
import {
  chains,
  ClusterName,
  hasOnChain,
  onChainMissing,
  DatabasePlace,
  NodeId,
  RecordTable,
  SecretId,
  SecretReference,
} from "./node.ts";
import { apiVersion } from "./versions.ts";

/** What a short-lived instance is to do for a cluster; `verify` and `compare` change nothing. */
export const setupActions = ["init", "adopt", "verify", "compare", "repoint"] as const;

const Task = z.strictObject({
  action: z.enum(setupActions),
  /** Comes back with the result, so that a result is never taken for another's. */
  id: z.string().regex(/^[0-9a-zA-Z-]{1,64}$/),
  /** Whether secrets of the node that are missing are made. */
  makeSecrets: z.boolean().default(false),
  /** The operator keeps a backup of the wallet that the node's bitcoind had. */
  walletKept: z.boolean().default(false),
  /** Why, in the operator's words, for the cluster's history. */
  reason: z.string().min(1).max(1000).optional(),
  /** Who asked for it, as AWS names a caller. */
  by: z.string().max(2048).optional(),
});

/** What `init`, `adopt`, `verify` and `database repoint` need to know of a cluster. */
export const ClusterSetup = z
  .strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.literal("ClusterSetup"),
    cluster: ClusterName,
    chain: z.enum(chains),
    /** The node id that the node seed must give, when there is a seed already. */
    nodeId: NodeId.optional(),
    record: RecordTable.pick({ table: true }).prefault({}),
    secrets: z.strictObject({
      nodeSeed: SecretId,
      channelSeed: SecretId,
      onChain: SecretId.optional(),
    }),
    database: DatabasePlace.extend({
      /** The login of the database's owner, as RDS manages it. */
      ownerSecret: SecretReference,
      /** The name of the runtime role's login; `init` makes it when it is missing. */
      secret: SecretId,
    }),
    /** What is to be done: the command line puts it here. */
    task: Task.optional(),
  })
  .refine(hasOnChain, onChainMissing);

export type ClusterSetup = z.infer<typeof ClusterSetup>;
export type SetupTask = z.infer<typeof Task>;
