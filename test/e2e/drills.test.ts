import { TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, inject, test } from "vitest";
import { Results } from "../../scripts/drills/results.ts";
import { processStartTime } from "../../scripts/lab/facts.ts";
import { labPlace, layout } from "../../scripts/lab/place.ts";
import { nodeStatuses } from "../../scripts/nodes/status.ts";
import { labTarget } from "../../scripts/target/target.ts";
import { cli } from "./cli.ts";

const state = inject("labState");
const image = inject("images").find(({ eclair }) => eclair === "stand-in")?.id ?? "";
const folder = mkdtempSync(join(tmpdir(), "eclair-ami-drills-"));
const json = join(folder, "drills.json");
const report = join(folder, "drills.html");

/** The quick ones of each kind; the whole set is `eclair-ami drill`. */
const some = [
  "kill-eclair",
  "switchover",
  "stop-release-continue",
  "held-release-continue",
  "takeover-without-dynamodb",
  "without-fence",
];

const drill = (...args: string[]) =>
  cli(["drill", ...args, "--state", state, "--image", image, "--json", json, "--report", report]);

const target = () => labTarget(labPlace(state));
const instances = async () =>
  (await nodeStatuses(target(), { cluster: "drill" })).map(({ instanceId }) => instanceId);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  const InstanceIds = await instances();
  if (InstanceIds.length > 0) await target().ec2.send(new TerminateInstancesCommand({ InstanceIds }));
});

test("there are drills for the lab alone, by their names", async () => {
  const unknown = await drill("kill-everything");
  expect(unknown.exitCode).toBe(2);
  expect(unknown.all).toMatch(/there is no drill kill-everything/);
  const aws = await drill("kill-eclair", "--target", "aws");
  expect(aws.exitCode).toBe(2);
  expect(aws.all).toMatch(/drills break things/);
});

test("two sessions do not drill in one lab", async () => {
  const file = join(layout.run(labPlace(state)), "drill");
  writeFileSync(file, `${process.pid} ${processStartTime(process.pid)}`);
  const busy = await drill("kill-eclair", "--runs", "1");
  expect(busy.all).toMatch(/drill\.busy/);
  // One that has ended without a word keeps nobody out.
  writeFileSync(file, `${process.pid} 1`);
});

test("no writers overlap and no write is lost, and without the fence the harness finds an overlap", async () => {
  const done = await drill(...some, "--runs", "1");
  expect(done.exitCode, done.all).toBe(0);
  const { runs, eclair } = Results.parse(JSON.parse(readFileSync(json, "utf8")));
  expect(eclair.standIn).toBe(true);
  expect(runs.map((run) => run.drill)).toEqual(some);
  for (const run of runs) {
    expect(run.lost).toBe(0);
    expect(run.acknowledged).toBeGreaterThan(0);
    expect(run.takeovers).toBeGreaterThan(0);
    expect(run.overlaps > 0, run.drill).toBe(run.drill === "without-fence");
  }
  const page = readFileSync(report, "utf8");
  expect(page).toMatch(/A stand-in for Eclair/);
  for (const name of some) expect(page).toContain(`id="${name}"`);
}, 500_000);

test("a session after one that was cut off does what is left, and with new instances", async () => {
  const before = await instances();
  writeFileSync(join(layout.run(labPlace(state)), "drill-drill"), "");
  const done = await drill(...some, "haproxy-restarted", "--runs", "1");
  expect(done.exitCode, done.all).toBe(0);
  expect(done.stdout.match(/^passed +\S+/gm)).toEqual([expect.stringMatching(/haproxy-restarted$/)]);
  expect((await instances()).filter((id) => before.includes(id))).toEqual([]);
}, 300_000);
