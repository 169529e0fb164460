import { z } from "zod";
import { Unknown } from "./unknown.ts";

export const BlockId = z.object({ height: z.int(), hash: z.string() });
export type BlockId = z.infer<typeof BlockId>;

/** The bitcoind that an instance uses. */
export const BitcoindReport = z.union([
  /** `warmingUp`: bitcoind answers, and loads its block index (RPC error -28). */
  Unknown.extend({ warmingUp: z.boolean().optional() }),
  z.object({
    known: z.literal(true),
    /** bitcoind's own name of the chain, such as `main`. */
    chain: z.string(),
    blocks: z.int(),
    headers: z.int(),
    /** The time in the header of the last block, in seconds since 1970. */
    tipTime: z.int().optional(),
    /** The work of the chain, in hex; absent in the reports of older images, as the fields below. */
    chainwork: z.string().optional(),
    bestBlockHash: z.string().optional(),
    /** A block that is deep in the chain that the instance uses. Every bitcoind of the node must have it. */
    settledBlock: BlockId.optional(),
    /** bitcoind's connections to peers. */
    peers: z.int().optional(),
    /** For each descriptor of the wallet, the number of addresses that bitcoind has issued. */
    nextAddresses: z.array(z.int()).optional(),
    /** Why Eclair cannot use this bitcoind, in addition to the fields below. */
    problem: z.string().optional(),
    /** By Eclair's own conditions. */
    synced: z.boolean(),
    wallet: z.union([
      z.object({ ready: z.literal(true) }),
      z.object({ ready: z.literal(false), reason: z.string() }),
    ]),
  }),
]);
export type BitcoindReport = z.infer<typeof BitcoindReport>;

/** The largest number at each position of several lists, such as the addresses that bitcoinds have issued for a descriptor. */
export function largestOf(lists: readonly (readonly number[])[]): number[] {
  const length = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length }, (_, index) => Math.max(0, ...lists.map((list) => list[index] ?? 0)));
}

/** One of the bitcoinds that an instance can use. */
export const BitcoindSummary = z.object({
  /** `local`, or host and port. */
  name: z.string(),
  /** Whether Eclair uses it now. */
  chosen: z.boolean(),
  blocks: z.int().optional(),
  /** Why Eclair cannot use it, or should use another one. */
  problem: z.string().optional(),
});
export type BitcoindSummary = z.infer<typeof BitcoindSummary>;
