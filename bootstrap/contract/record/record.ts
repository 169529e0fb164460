import { z } from "zod";
import { chains } from "../configuration/node.ts";

const Fingerprint = z.string().regex(/^[0-9a-f]{64}$/);
/** Versions by the names that Eclair gives its databases in `public.versions`. */
export const SchemaVersions = z.record(z.string(), z.int());
export type SchemaVersions = z.infer<typeof SchemaVersions>;

/** The database of a node: its endpoint, and the random id that is stored in the database. */
export const DatabaseIdentity = z.strictObject({
  host: z.string(),
  port: z.int(),
  name: z.string(),
  id: z.uuid(),
});
export type DatabaseIdentity = z.infer<typeof DatabaseIdentity>;

/** A takeover increases the generation, and the active instance increases the counter every few seconds. */
export const Progress = z.strictObject({ generation: z.int().min(0), counter: z.int().min(0) });
export type Progress = z.infer<typeof Progress>;

/** The identity of a node, in the binding of its database and in the cluster record alike. */
export const NodeIdentity = z.strictObject({
  nodeId: z.string(),
  chain: z.enum(chains),
  channelSeedFingerprint: Fingerprint,
  /** Absent for a node without an on-chain secret, which is possible on regtest only. */
  onChainFingerprint: Fingerprint.optional(),
});
export type NodeIdentity = z.infer<typeof NodeIdentity>;

/** The cluster record: what is known about a node outside its database. */
export const ClusterRecord = z.strictObject({
  node: NodeIdentity,
  database: DatabaseIdentity,
  progress: Progress,
  /** The Eclair that ran last and the schemas that it left; absent before the first run. */
  lastEclair: z.strictObject({ version: z.string(), schemas: SchemaVersions }).optional(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type ClusterRecord = z.infer<typeof ClusterRecord>;

/** Whether `a` is an earlier state of the same database than `b`. */
export function isBehind(a: Progress, b: Progress): boolean {
  return a.generation < b.generation || (a.generation === b.generation && a.counter < b.counter);
}
