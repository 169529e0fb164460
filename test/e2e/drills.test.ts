import { TerminateInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, inject, test } from "vitest";
import { Results } from "../../scripts/drills/results.ts";
import { processStartTime } from "../../scripts/lab/facts.ts";
import { labPaths, layout } from "../../scripts/lab/paths.ts";
import { nodeStatuses } from "../../scripts/cluster/status.ts";
import { labTarget } from "../../scripts/lab/target.ts";
import { cli } from "./cli.ts";

const state = inject("labState");
const image = inject("images").find(({ eclair }) => eclair === "stand-in")?.id ?? "";
const folder = mkdtempSync(join(tmpdir(), "eclair-ami-drills-"));
const json = join(folder, "drills.json");
const report = join(folder, "drills.html");

/** A test whose time is over leaves its session running, which would disturb the next test. */
const sessionMilliseconds = 1_500_000;

/** Quick drills of each kind. `eclair-ami drill` runs all drills. */
const drillNames = [
  "kill-eclair",
  "switchover",
  "freeze-eclair-until-release",
  "freeze-unmanaged-until-release",
  "takeover-without-dynamodb",
  "without-fence",
];

const drill = (...args: string[]) =>
  cli(["drill", ...args, "--state", state, "--image", image, "--json", json, "--report", report]);

const target = () => labTarget(labPaths(state));
const instances = async () =>
  (await nodeStatuses(target(), { cluster: "drill" })).map(({ instanceId }) => instanceId);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  const InstanceIds = await instances();
  if (InstanceIds.length > 0)
    await target().client(EC2Client).send(new TerminateInstancesCommand({ InstanceIds }));
});

test("refuses an unknown drill, and a target other than the lab", async () => {
  const unknown = await drill("kill-everything");
  expect(unknown.exitCode).toBe(2);
  expect(unknown.all).toMatch(/no drill has the name kill-everything/);
  const aws = await drill("kill-eclair", "--target", "aws");
  expect(aws.exitCode).toBe(2);
  expect(aws.all).toMatch(/drills damage the cluster/);
});

test("refuses a second session in the same lab", async () => {
  const file = join(layout.run(labPaths(state)), "drill");
  writeFileSync(file, `${process.pid} ${processStartTime(process.pid)}`);
  const refused = await drill("kill-eclair", "--runs", "1");
  expect(refused.all).toMatch(/drill\.in-progress/);
  // The lock of a process that has exited is ignored.
  writeFileSync(file, `${process.pid} 1`);
});

test(
  "finds no lost and no overlapping write, except the overlap without the fence",
  async () => {
    const completed = await drill(...drillNames, "--runs", "1");
    expect(completed.exitCode, completed.all).toBe(0);
    const { runs, eclair } = Results.parse(JSON.parse(readFileSync(json, "utf8")));
    expect(eclair.kind).toBe("stand-in");
    expect(runs.map((run) => run.drill)).toEqual(drillNames);
    for (const run of runs) {
      expect(run.lostWrites).toBe(0);
      expect(run.acknowledgedWrites).toBeGreaterThan(0);
      expect(run.takeovers).toBeGreaterThan(0);
      expect(run.overlappingWrites > 0, run.drill).toBe(run.drill === "without-fence");
    }
    const page = readFileSync(report, "utf8");
    expect(page).toMatch(/Stand-in Eclair/);
    for (const name of drillNames) expect(page).toContain(`id="${name}"`);
  },
  sessionMilliseconds,
);

test(
  "after an interrupted session, runs the remaining drills with new instances",
  async () => {
    const before = await instances();
    writeFileSync(join(layout.run(labPaths(state)), "drill-drill"), "");
    const completed = await drill(...drillNames, "restart-load-balancer", "--runs", "1");
    expect(completed.exitCode, completed.all).toBe(0);
    expect(completed.stdout.match(/^passed +\S+/gm)).toEqual([
      expect.stringMatching(/restart-load-balancer$/),
    ]);
    expect((await instances()).filter((id) => before.includes(id))).toEqual([]);
  },
  sessionMilliseconds,
);
