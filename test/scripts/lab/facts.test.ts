import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  isLabRunning,
  processStartTime,
  readFacts,
  readTeardownFacts,
  serviceNsenterArguments,
  writeFacts,
  type LabFacts,
} from "../../../scripts/lab/facts.ts";
import { labPaths, layout, type LabPaths } from "../../../scripts/lab/paths.ts";

let lab: LabPaths;
const facts: LabFacts = {
  link: 7,
  endpoint: "http://100.65.0.30",
  otherNetworks: [],
  initProcess: { pid: process.pid, startTime: processStartTime(process.pid) ?? "" },
};

beforeEach(() => {
  lab = labPaths(mkdtempSync(join(tmpdir(), "eclair-ami-facts-")));
});

afterEach(() => {
  rmSync(lab.state, { recursive: true });
});

test("reads the facts that were written, and a folder without a lab has none", () => {
  expect(readFacts(lab)).toBeUndefined();
  expect(readTeardownFacts(lab)).toEqual({});
  writeFacts(lab, facts);
  expect(readFacts(lab)).toEqual(facts);
  expect(JSON.parse(readFileSync(layout.facts(lab), "utf8"))).toMatchObject({ formatVersion: 2 });
});

test.each([
  ["without a version", { link: 7, endpoint: "http://100.65.0.30" }],
  ["of another version", { formatVersion: 3, link: 7, unknown: true }],
])("refuses a lab with a file %s, and can take it down", (_title, content) => {
  writeFileSync(layout.facts(lab), JSON.stringify(content));
  expect(() => readFacts(lab)).toThrow(
    expect.objectContaining({
      code: "lab.folder-in-use",
      remedy: "run `eclair-ami lab down`, then `eclair-ami lab up`",
    }) as Error,
  );
  expect(readTeardownFacts(lab)).toMatchObject({ link: 7 });
});

test("a lab runs while its first process is the process that was started", () => {
  expect(isLabRunning(facts)).toBe(true);
  expect(isLabRunning({ initProcess: { pid: process.pid, startTime: "1" } })).toBe(false);
  expect(isLabRunning({})).toBe(false);
});

test("refuses to enter a lab that does not run", () => {
  expect(() => serviceNsenterArguments(lab, { link: 7, endpoint: "", otherNetworks: [] })).toThrow(
    expect.objectContaining({ code: "lab.not-running" }) as Error,
  );
});
