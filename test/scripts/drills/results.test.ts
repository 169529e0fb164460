import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readResults, writeResults } from "../../../scripts/drills/results.ts";
import { sampleResults } from "../../support/drill-results.ts";

const folder = mkdtempSync(join(tmpdir(), "eclair-ami-results-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a results file", () => {
  const file = join(folder, "drills.json");
  const results = sampleResults(
    [{ name: "kill-eclair", title: "Eclair is killed with SIGKILL", execute: async () => undefined }],
    2,
  );

  test("continues a session with the same image", () => {
    writeResults(file, results);
    expect(readResults(file, results.imageId)).toEqual(results);
  });

  test("does not continue a session with another image", () => {
    writeResults(file, results);
    expect(readResults(file, "ami-0fedcba9876543210")).toBeUndefined();
  });

  test("is not read in another format version", () => {
    writeFileSync(file, JSON.stringify({ ...results, formatVersion: 4 }));
    expect(readResults(file, results.imageId)).toBeUndefined();
  });
});
