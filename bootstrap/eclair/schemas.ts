import type { SchemaVersions } from "../record/record.ts";

/**
 * The database schemas that each Eclair makes and reads, by the names in `public.versions`, from its source
 * (`fr.acinq.eclair.db.pg`). A version not listed is judged by the newest listed one before it.
 */
const common = { liquidity: 1, network: 4, offers: 1, payments: 8, peers: 5, pending_relay: 3 };
const known: readonly (readonly [eclair: string, schemas: SchemaVersions])[] = [
  ["0.13.0", { ...common, channels: 11, audit: 13 }],
  ["0.13.1", { ...common, channels: 12, audit: 13 }],
  ["0.14.0", { ...common, channels: 12, audit: 14 }],
];

/** Eclair 0.13.0 alone migrates channels from before it; every later version refuses them. */
const oldestChannels = { eclair: "0.13.0", channels: 11 } as const;

/** Orders versions made of numbers and dots. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number)) as [number[], number[]];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The Eclair that ran last on a database, and the schemas that it left. */
export type LastRun = { readonly version: string; readonly schemas: SchemaVersions };

/**
 * Why an Eclair must not be started on a database with these schemas: it is `older` than they are, or it would
 * `jump` over a version that must run once. A version newer than those listed here may go on with what it, or
 * an older one, has left.
 */
export function whyNotRun(
  eclair: string,
  found: SchemaVersions,
  lastRun?: LastRun,
): "older" | "jump" | undefined {
  const own = schemasOf(eclair);
  const left = lastRun !== undefined && compareVersions(lastRun.version, eclair) <= 0 ? lastRun.schemas : {};
  for (const [name, version] of Object.entries(found))
    if (version > Math.max(own[name] ?? 0, left[name] ?? 0)) return "older";
  const { channels = oldestChannels.channels } = found;
  const jumps = channels < oldestChannels.channels && compareVersions(eclair, oldestChannels.eclair) > 0;
  return jumps ? "jump" : undefined;
}

/** The newest version whose source was looked at: what a later one does to a database is not known here. */
const newestKnown = "0.14.1";

/** Whether an Eclair leaves the schemas of the last run as they are, so that the one that made them can come back. */
export function leavesAsIs(eclair: string, lastRun: LastRun | undefined): boolean {
  if (lastRun === undefined) return false;
  if (eclair === lastRun.version) return true;
  if (compareVersions(eclair, newestKnown) > 0) return false;
  return Object.entries(schemasOf(eclair)).every(([name, version]) => version === lastRun.schemas[name]);
}

const schemasOf = (eclair: string): SchemaVersions =>
  known.findLast(([version]) => compareVersions(version, eclair) <= 0)?.[1] ?? {};
