import { z } from "zod";

/** What is known about the chain on a volume, or in a snapshot of it. */
export const ChainFacts = z.strictObject({
  chain: z.string(),
  height: z.int(),
  blockHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Bitcoin Core's version, such as 310100. An older bitcoind may not read the databases of a newer one. */
  bitcoindVersion: z.int(),
  indexes: z.array(z.string()),
  /** The hash of the set of unspent outputs (`gettxoutsetinfo muhash`): it names the content of the chainstate. */
  muhash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ChainFacts = z.infer<typeof ChainFacts>;

/**
 * An operator's request for a snapshot of a standby's chain volume, and its progress:
 * - `requested`: by the operator
 * - `stopped`: the standby has stopped its bitcoind, and the volume does not change any more
 * - `created`: the operator's command has created the snapshot; EBS copies the blocks of that moment
 * - `resumed`: bitcoind runs again
 * - `aborted`: bitcoind runs again, and the snapshot is not to be used
 */
export const ChainSnapshotRequest = z.strictObject({
  id: z.uuid(),
  instanceId: z.string(),
  /** The caller, as AWS names it. */
  requestedBy: z.string(),
  /** The standby ignores the request after this time. */
  expiresAt: z.iso.datetime(),
  step: z.enum(["requested", "stopped", "created", "resumed", "aborted"]),
  /** From `stopped` on. */
  facts: ChainFacts.optional(),
  /** Why the request was aborted. */
  reason: z.string().optional(),
});
export type ChainSnapshotRequest = z.infer<typeof ChainSnapshotRequest>;
