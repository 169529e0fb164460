import type { SchemaVersions } from "../record/record.ts";

/**
 * The database schemas that each Eclair creates and reads, by the names in `public.versions`, from its source
 * (`fr.acinq.eclair.db.pg`). A version that is not listed has the schemas of the newest listed version before it.
 */
const common = { liquidity: 1, network: 4, offers: 1, payments: 8, peers: 5, pending_relay: 3 };
const known: readonly (readonly [eclair: string, schemas: SchemaVersions])[] = [
  ["0.13.0", { ...common, channels: 11, audit: 13 }],
  ["0.13.1", { ...common, channels: 12, audit: 13 }],
  ["0.14.0", { ...common, channels: 12, audit: 14 }],
];

/** Only Eclair 0.13.0 migrates older channels; every later version refuses them. */
const oldestChannels = { eclair: "0.13.0", channels: 11 } as const;

/** Compares versions of numbers and dots: negative, zero or positive. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number)) as [number[], number[]];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The Eclair that ran last on a database, and the schemas that it left. */
export type LastEclair = { readonly version: string; readonly schemas: SchemaVersions };

/**
 * Why an Eclair must not start on a database with these schemas. `too-old`: the schemas are newer. `version-skipped`: a
 * version in between must run once. A version that is newer than the listed versions may use the schemas that it, or an
 * older version, left.
 * @returns undefined when the Eclair may start
 */
export function schemaIncompatibility(
  eclair: string,
  found: SchemaVersions,
  lastEclair?: LastEclair,
): "too-old" | "version-skipped" | undefined {
  const own = schemasOf(eclair);
  const left =
    lastEclair !== undefined && compareVersions(lastEclair.version, eclair) <= 0 ? lastEclair.schemas : {};
  for (const [name, version] of Object.entries(found))
    if (version > Math.max(own[name] ?? 0, left[name] ?? 0)) return "too-old";
  const { channels = oldestChannels.channels } = found;
  const skips = channels < oldestChannels.channels && compareVersions(eclair, oldestChannels.eclair) > 0;
  return skips ? "version-skipped" : undefined;
}

/** The newest version whose source was read. What a later version does to a database is not known. */
const newestKnown = "0.14.1";

/** Whether an Eclair keeps the schemas of the last Eclair, so that the last Eclair can run again afterwards. */
export function keepsSchemas(eclair: string, lastEclair: LastEclair | undefined): boolean {
  if (lastEclair === undefined) return false;
  if (eclair === lastEclair.version) return true;
  if (compareVersions(eclair, newestKnown) > 0) return false;
  return Object.entries(schemasOf(eclair)).every(([name, version]) => version === lastEclair.schemas[name]);
}

/**
 * Whether an Eclair migrates a database with these schemas at its start, which can take hours. True when it is not known; a
 * database without schemas is created at once.
 */
export function migratesSchemas(eclair: string, found: SchemaVersions): boolean {
  if (Object.keys(found).length === 0) return false;
  if (compareVersions(eclair, newestKnown) > 0) return true;
  return Object.entries(schemasOf(eclair)).some(([name, version]) => version !== found[name]);
}

/**
 * Whether an Eclair can run on every database that another Eclair has used. False for another Eclair whose schemas are not
 * known.
 */
export function canFollow(eclair: string, previous: string): boolean {
  if (eclair === previous) return true;
  if (compareVersions(eclair, previous) < 0 && compareVersions(previous, newestKnown) > 0) return false;
  return (
    schemaIncompatibility(eclair, schemasOf(previous), {
      version: previous,
      schemas: schemasOf(previous),
    }) === undefined
  );
}

const schemasOf = (eclair: string): SchemaVersions =>
  known.findLast(([version]) => compareVersions(version, eclair) <= 0)?.[1] ?? {};
