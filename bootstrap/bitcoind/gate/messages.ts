import { z } from "zod";
import { chains } from "../../contract/configuration/node.ts";
import { BitcoindReport, BitcoindSummary, BlockId } from "../../contract/reports/bitcoind.ts";
import { Credentials } from "../../secrets/shapes.ts";

/** A bitcoind, and how to reach it. */
export const BitcoindEndpoint = z.object({
  /** How the configuration and the log call it: `local`, or host and port. */
  name: z.string(),
  host: z.string(),
  rpcPort: z.int(),
  /** `host:port` of the publishers. */
  zmqBlock: z.string(),
  zmqTx: z.string(),
  /** Absent without TLS. Without `ca`, the certificate authorities of the image apply. */
  tls: z.object({ ca: z.string().optional() }).optional(),
  /** The user of Eclair's calls, and the user of the gate's own calls. */
  eclair: Credentials,
  gate: Credentials,
});
export type BitcoindEndpoint = z.infer<typeof BitcoindEndpoint>;

/** The descriptors that bitcoind watches, and the time of the first transaction, in seconds since 1970. */
export const WatchedDescriptors = z.object({
  descriptors: z.array(z.object({ text: z.string(), internal: z.boolean() })),
  birthday: z.int(),
});
export type WatchedDescriptors = z.infer<typeof WatchedDescriptors>;

/** One line of the supervisor to the gate. */
export const GateMessage = z.object({
  chain: z.enum(chains),
  /** The version of the Eclair of this host, which decides how old a bitcoind may be. */
  eclairVersion: z.string(),
  wallet: z.string(),
  watched: WatchedDescriptors.optional(),
  /** In the order of preference. */
  bitcoinds: z.array(BitcoindEndpoint).min(1),
  /** Eclair's login at the gate. */
  login: Credentials,
  /** The Eclair of this host that is connected to the database: its locks and transactions follow it to another bitcoind. */
  openEclair: z.string().optional(),
  /** For each descriptor, the next address of the bitcoinds of the other instances. */
  nextAddresses: z.array(z.int()),
  /** A block that is deep in the chain of the active instance, when another instance is active. */
  settledBlock: BlockId.optional(),
  /** What the gate of this host reported last: a gate that starts again continues with these values. */
  last: z.object({
    settledBlock: BlockId.optional(),
    chosen: z.string().optional(),
    knownHeight: z.int().optional(),
  }),
});
export type GateMessage = z.infer<typeof GateMessage>;

/** One line of the gate to the supervisor. */
export const GateStatus = z.object({
  /** The bitcoind that Eclair uses; the first one while none can be used. */
  bitcoind: BitcoindReport,
  /** When this bitcoind answered last, in seconds on CLOCK_BOOTTIME; absent when it never did. */
  answeredAt: z.number().optional(),
  /** When the local bitcoind answered last, in seconds on CLOCK_BOOTTIME; absent when it never did. */
  localAnsweredAt: z.number().optional(),
  /** Whether Eclair can use this bitcoind. */
  isUsable: z.boolean(),
  /** The height up to which Eclair knows the transactions of the blocks; absent before the first one. */
  knownHeight: z.int().optional(),
  /** Every configured bitcoind, in the order of preference. */
  bitcoinds: z.array(BitcoindSummary),
});
export type GateStatus = z.infer<typeof GateStatus>;
