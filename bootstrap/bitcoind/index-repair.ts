import { z } from "zod";

/**
 * What happened to the index of a chain whose bitcoind ended because the index is corrupt:
 * - `requested`: bitcoind builds the index again at its next start
 * - `reindexing`: bitcoind was started with `-reindex`; it continues by itself after an interruption
 * - `broken`: the index was corrupt again soon after it had been built again: the disk itself may be broken
 */
export const IndexRepair = z.object({
  formatVersion: z.literal(1),
  state: z.enum(["requested", "reindexing", "broken"]),
  at: z.iso.datetime(),
});
export type IndexRepair = z.infer<typeof IndexRepair>;

/**
 * bitcoind's messages when it cannot use its index (`AppInitMain` in its src/init.cpp), or finds damaged data in it or in txindex
 * (`HandleError` in its src/dbwrapper.cpp). An IO error is another cause, such as a full disk.
 */
const corruptIndex = /Please restart with -reindex|Fatal LevelDB error: Corruption/;
/** @param log all messages of a bitcoind since its start */
export const isIndexCorrupt = (log: string): boolean => corruptIndex.test(log);
/** An index that is corrupt again within this time was not corrupted by a single event, such as a power loss. */
const againMilliseconds = 7 * 24 * 3600 * 1000;

/**
 * @param previous what is known from before; undefined at first
 * @param log of the bitcoind that ended
 * @returns undefined when the index is not the cause
 */
export function repairAfter(
  previous: IndexRepair | undefined,
  log: string,
  now: Date,
): IndexRepair | undefined {
  if (!isIndexCorrupt(log)) return undefined;
  const isAgain =
    previous !== undefined &&
    previous.state !== "requested" &&
    now.getTime() - Date.parse(previous.at) < againMilliseconds;
  return { formatVersion: 1, state: isAgain ? "broken" : "requested", at: now.toISOString() };
}

/** The options of a bitcoind that starts, and what is known from then on. */
export function optionsFor(
  previous: IndexRepair | undefined,
  now: Date,
): { readonly options: string; readonly next: IndexRepair | undefined } {
  if (previous?.state !== "requested") return { options: "", next: previous };
  return { options: "-reindex", next: { formatVersion: 1, state: "reindexing", at: now.toISOString() } };
}
