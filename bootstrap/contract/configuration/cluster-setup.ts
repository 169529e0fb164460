import { z } from "zod";
import {
  chains,
  ClusterName,
  hasOnChain,
  onChainMissing,
  DatabaseEndpoint,
  NodeId,
  RecordTable,
  SecretId,
  SecretReference,
} from "./node.ts";
import { rotationKinds } from "../requests/rotation.ts";
import { apiVersion } from "./api-version.ts";

/** The actions of a cluster setup. `verify` and `compare` change nothing. */
export const setupActions = [
  "init",
  "adopt",
  "verify",
  "compare",
  "repoint",
  "confirm-upgrade",
  "prepare-rotation",
  "finish-rotation",
] as const;

const Task = z.strictObject({
  action: z.enum(setupActions),
  /** The result contains this id, so that a result is never taken for another task's. */
  id: z.string().regex(/^[0-9a-zA-Z-]{1,64}$/),
  /** Whether the instance creates the node's secrets that do not exist. */
  createSecrets: z.boolean().default(false),
  /** The operator confirms that the wallet of the node's previous bitcoind is backed up and kept. */
  walletRetained: z.boolean().default(false),
  /** What a rotation changes, and, for its end, the version of the secret that is the current one. */
  rotates: z.strictObject({ kind: z.enum(rotationKinds), secret: SecretId }).optional(),
  secretVersionId: z.string().max(64).optional(),
  /** The operator's reason, for the history of the cluster. */
  reason: z.string().min(1).max(1000).optional(),
  /** The caller, as AWS names it. */
  requestedBy: z.string().max(2048).optional(),
});

/** What `init`, `adopt`, `verify` and the `database` commands need to know about a cluster. */
export const ClusterSetup = z
  .strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.literal("ClusterSetup"),
    cluster: ClusterName,
    chain: z.enum(chains),
    /** The expected node id, when the node seed exists already. */
    nodeId: NodeId.optional(),
    record: RecordTable.pick({ table: true }).prefault({}),
    secrets: z.strictObject({
      nodeSeed: SecretId,
      channelSeed: SecretId,
      onChain: SecretId.optional(),
      /** For `rotate api`: the secret of the API's password, when the configuration of the node names one. */
      apiPassword: SecretId.optional(),
      /** For `rotate bitcoind`: the secrets of `bitcoind.remotes` of the node's configuration. */
      bitcoind: z.array(SecretId).max(8).optional(),
    }),
    database: DatabaseEndpoint.extend({
      /** The login of the database's owner, as RDS manages it. */
      ownerSecret: SecretReference,
      /** The name of the runtime role's login; `init` creates it when it does not exist. */
      secret: SecretId,
    }),
    /** The command line adds the task. */
    task: Task.optional(),
  })
  .refine(hasOnChain, onChainMissing);

export type ClusterSetup = z.infer<typeof ClusterSetup>;
export type SetupTask = z.infer<typeof Task>;
