import { expect, test } from "vitest";
import { optionsFor, repairAfter, type IndexRepair } from "../../../bootstrap/bitcoind/index-repair.ts";

const now = new Date("2026-11-28T10:00:00.000Z");
const daysAgo = (days: number) => new Date(now.getTime() - days * 24 * 3600 * 1000).toISOString();
const known = (state: IndexRepair["state"], days: number): IndexRepair => ({
  formatVersion: 1,
  state,
  at: daysAgo(days),
});
const corrupt =
  "Error: Corrupted block database detected.\nPlease restart with -reindex or -reindex-chainstate to recover.\n";

test("a corrupt index is built again at the next start, once", () => {
  const requested = repairAfter(undefined, corrupt, now);
  expect(requested?.state).toBe("requested");
  const { options, next } = optionsFor(requested, now);
  expect(options).toBe("-reindex");
  expect(optionsFor(next, now)).toEqual({ options: "", next });
});

test.each<[string, string, boolean]>([
  [
    "damaged data in a database",
    "Fatal LevelDB error: Corruption: block checksum mismatch: 000123.ldb",
    true,
  ],
  ["a full disk", "Fatal LevelDB error: IO error: 000124.log: No space left on device", false],
])("%s: %s", (_name, line, isCorrupt) => {
  expect(repairAfter(undefined, `${line}\n`, now)?.state).toBe(isCorrupt ? "requested" : undefined);
});

test("an index that is corrupt again soon is broken, and one that is corrupt again after a long time is not", () => {
  expect(repairAfter(known("reindexing", 1), corrupt, now)?.state).toBe("broken");
  expect(repairAfter(known("broken", 1), corrupt, now)?.state).toBe("broken");
  expect(repairAfter(known("reindexing", 30), corrupt, now)?.state).toBe("requested");
});

test("a request that bitcoind has not carried out yet remains", () => {
  expect(repairAfter(known("requested", 1), corrupt, now)?.state).toBe("requested");
});

test.each([
  ["another error", "Error: Disk space is too low!"],
  ["no message", ""],
])("%s is not the index", (_, log) => {
  expect(repairAfter(undefined, log, now)).toBeUndefined();
});
