import { z } from "zod";
import { Identity } from "../imds/identity.ts";
import { BootRecord } from "../phases.ts";

const Unseen = z.object({ seen: z.literal(false), why: z.string() });

/** The body of every health answer, and what `status` shows: one instance as its supervisor sees it. */
export const InstanceState = z.object({
  live: z.boolean(),
  ready: z.boolean(),
  active: z.boolean(),
  role: z.enum(["waiting", "standby", "starting", "active", "stopping", "unsafe"]),
  reasons: z.array(z.string()),
  /** When the role last changed. */
  since: z.iso.datetime(),
  cluster: z.string(),
  nodeId: z.string(),
  chain: z.string(),
  identity: Identity,
  bitcoind: z.union([
    Unseen,
    z.object({
      seen: z.literal(true),
      chain: z.string(),
      blocks: z.int(),
      headers: z.int(),
      synced: z.boolean(),
      wallet: z.union([z.literal(true), z.string()]),
    }),
  ]),
  lease: z.union([
    Unseen,
    z.object({ seen: z.literal(true), holder: z.string().optional(), remaining: z.number() }),
  ]),
  eclair: z.object({
    unit: z.enum(["stopped", "running", "stopping"]),
    process: z.int(),
    instanceId: z.string().optional(),
    armed: z.enum(["no", "starting", "yes"]),
    /** By its configuration it arms none before the lease is about to run out. */
    armsLate: z.boolean().default(false),
    info: z.object({ instanceId: z.string(), nodeId: z.string(), blockHeight: z.int() }).optional(),
  }),
  record: z.union([
    Unseen,
    z.object({ seen: z.literal(true), generation: z.int(), counter: z.int(), at: z.iso.datetime() }),
  ]),
  /** What this instance runs. */
  versions: z.object({ eclair: z.string(), bootstrap: z.string() }),
  boot: BootRecord,
});
export type InstanceState = z.infer<typeof InstanceState>;
