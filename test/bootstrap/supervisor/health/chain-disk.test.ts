import { expect, test } from "vitest";
import { diskProblems } from "../../../../bootstrap/supervisor/health/chain-disk.ts";

test("a file system with less than 5 % of free space is a problem", () => {
  expect(diskProblems({ freeBytes: 49e9, totalBytes: 1000e9 })).toEqual([
    "the file system of the chain has 49.0 GB of 1000.0 GB left",
  ]);
});

test.each([undefined, { freeBytes: 50e9, totalBytes: 1000e9 }])("%j is no problem", (disk) => {
  expect(diskProblems(disk)).toEqual([]);
});
