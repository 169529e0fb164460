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

  test("continues a session that measured the same", () => {
    writeResults(file, results);
    expect(readResults(file, results)).toEqual(results);
  });

  test("begins when there is no file", () => {
    expect(readResults(join(folder, "absent.json"), results)).toBeUndefined();
  });

  test.each([
    ["another image", { ...results, imageId: "ami-0fedcba9876543210" }],
    ["another lease", { ...results, lease: { seconds: 40, renewalSeconds: 5 } }],
    ["a machine with other processors", { ...results, cpus: results.cpus + 1 }],
  ])("with runs of %s is not overwritten", (_, measured) => {
    writeResults(file, results);
    expect(() => readResults(file, measured)).toThrow(
      /the file contains runs of .*, and this session measures /,
    );
  });

  test.each([
    ["has another format", JSON.stringify({ ...results, formatVersion: 3 })],
    ["is no JSON", "results"],
  ])("that %s is not overwritten", (_, text) => {
    writeFileSync(file, text);
    expect(() => readResults(file, results)).toThrow(/no results in format 4/);
  });
});
