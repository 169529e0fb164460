import { z } from "zod";
import { BudgetReport } from "../budget/budget.ts";
import { BootStatus } from "./boot.ts";
import { BitcoindReport, BitcoindSummary } from "./bitcoind.ts";
import { DoorReport } from "./door.ts";
import { InstanceIdentity } from "./instance-identity.ts";
import { SecretVersions } from "./secret-versions.ts";
import { Unknown } from "./unknown.ts";

/**
 * - `waiting`: this host cannot run Eclair now
 * - `standby`: this host can run Eclair, and another host holds the lease
 * - `starting`: Eclair starts on this host and does not serve yet
 * - `active`: Eclair runs on this host and holds the lease
 * - `stopping`: Eclair stops on this host
 * - `unsafe`: Eclair runs on this host without the right to: it is killed
 */
export const roles = ["waiting", "standby", "starting", "active", "stopping", "unsafe"] as const;
export type Role = (typeof roles)[number];

/** How current the tip of an instance's chain is. A part is absent while it is not known. */
const ChainTip = z.object({
  /** Seconds since the time of the last block. */
  ageSeconds: z.number().optional(),
  /** Blocks behind the best other instance of the cluster. */
  behindBlocks: z.int().optional(),
});
export type ChainTipReport = z.infer<typeof ChainTip>;

const ChainDisk = z.object({ freeBytes: z.number(), totalBytes: z.number() });
export type ChainDiskReport = z.infer<typeof ChainDisk>;

const Lease = z.union([
  Unknown,
  z.object({
    known: z.literal(true),
    /** The Eclair that took the lease last; absent when no Eclair ever took it. */
    holderEclairInstanceId: z.string().optional(),
    /** The address of the host of that Eclair, by the fence. */
    holderAddress: z.string().optional(),
    /** By the database's clock; zero or less when the lease is free. */
    remainingSeconds: z.number(),
  }),
]);
export type LeaseReport = z.infer<typeof Lease>;

/** What Eclair's API reports. */
export const EclairInfo = z.object({
  eclairInstanceId: z.string(),
  nodeId: z.string(),
  blockHeight: z.int(),
});
export type EclairInfo = z.infer<typeof EclairInfo>;

const Eclair = z.object({
  /** The Eclair that is connected to the database. */
  state: z.enum(["stopped", "running", "stopping"]),
  /** Its main process; 0 when there is none. */
  pid: z.int(),
  /** The id that the Eclair process generated for itself. */
  eclairInstanceId: z.string().optional(),
  /** Absent while its API does not answer. */
  info: EclairInfo.optional(),
  /** Whether another Eclair is started and held before its first connection. */
  armed: z.enum(["no", "starting", "yes"]),
  /** The configuration arms an Eclair only shortly before the lease expires. */
  armBeforeExpiry: z.boolean(),
});
export type EclairReport = z.infer<typeof Eclair>;

const Record = z.union([
  Unknown,
  z.object({
    known: z.literal(true),
    generation: z.int(),
    counter: z.int(),
    mirroredAt: z.iso.datetime(),
  }),
]);
export type RecordReport = z.infer<typeof Record>;

/** What an instance reports about itself: the body of every health response, and its item in the cluster table. */
export const InstanceReport = z.object({
  live: z.boolean(),
  ready: z.boolean(),
  active: z.boolean(),
  /**
   * Whether this instance leads connections to the active Eclair, on whichever host, or a takeover is in progress. Absent in
   * the reports of older images.
   */
  serving: z.boolean().optional(),
  role: z.enum(roles),
  /** Why the instance is not active or not ready, and what limits an active instance. */
  reasons: z.array(z.string()),
  roleSince: z.iso.datetime(),
  cluster: z.string(),
  nodeId: z.string(),
  chain: z.string(),
  identity: InstanceIdentity,
  targetGroupArns: z.array(z.string()),
  bitcoind: BitcoindReport,
  /** Every bitcoind that the instance can use, in the order of preference. Absent in the reports of older images. */
  bitcoinds: z.array(BitcoindSummary).optional(),
  /** Absent in the reports of older images. */
  chainTip: ChainTip.optional(),
  /** The file system of the chain; absent with a remote bitcoind, and while it is not known. */
  chainDisk: ChainDisk.optional(),
  /** Absent without a door: with `door: off`, and in the reports of older images. */
  door: DoorReport.optional(),
  lease: Lease,
  eclair: Eclair,
  /** The cluster record as this instance mirrored it last. */
  record: Record,
  /** Absent in the reports of older images, and when a later image reports a form that this one does not know. */
  budget: BudgetReport.optional().catch(undefined),
  /** Absent in the reports of older images. */
  secretVersions: SecretVersions.optional(),
  versions: z.object({ eclair: z.string(), bootstrap: z.string() }),
  boot: BootStatus,
});
export type InstanceReport = z.infer<typeof InstanceReport>;
