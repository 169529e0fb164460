import { z } from "zod";
import { chains } from "../config/node.ts";

const Fingerprint = z.string().regex(/^[0-9a-f]{64}$/);
/** Versions by the names that Eclair gives its databases in `public.versions`. */
export const SchemaVersions = z.record(z.string(), z.int());
export type SchemaVersions = z.infer<typeof SchemaVersions>;

/** Which database a node has: where it is, and the random id that stands in it. */
export const DatabaseIdentity = z.strictObject({
  host: z.string(),
  port: z.int(),
  name: z.string(),
  id: z.uuid(),
});
export type DatabaseIdentity = z.infer<typeof DatabaseIdentity>;

/** How far a database has come: a takeover raises the generation, the active one raises the counter. */
export const Progress = z.strictObject({ generation: z.int().min(0), counter: z.int().min(0) });
export type Progress = z.infer<typeof Progress>;

/** Who a node is, as it stands in the binding of its database and in the cluster record alike. */
export const NodeIdentity = z.strictObject({
  nodeId: z.string(),
  chain: z.enum(chains),
  channelSeed: Fingerprint,
  /** None for a node without an on-chain secret, which is possible on regtest alone. */
  onChain: Fingerprint.optional(),
});
export type NodeIdentity = z.infer<typeof NodeIdentity>;

/** The cluster record: what is known of a node outside its database. */
export const ClusterRecord = z.strictObject({
  node: NodeIdentity,
  database: DatabaseIdentity,
  progress: Progress,
  /** What ran last; none before the first time. */
  eclair: z.strictObject({ version: z.string(), schemas: SchemaVersions }).optional(),
  madeAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type ClusterRecord = z.infer<typeof ClusterRecord>;

/** Whether `a` is behind `b`: an earlier state of the same database. */
export function isBehind(a: Progress, b: Progress): boolean {
  return a.generation < b.generation || (a.generation === b.generation && a.counter < b.counter);
}
