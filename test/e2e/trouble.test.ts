import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { processesIn } from "../../scripts/lab/host/cgroup.ts";
import { labPlace, layout } from "../../scripts/lab/place.ts";
import { cli, eventually, inGuest, instances, type ShownInstance } from "./cli.ts";

/** A lab of its own: these tests kill what runs in it, and count what is left. */
const home = mkdtempSync(join(tmpdir(), "eclair-ami-e2e-trouble-"));
const state = join(home, "lab");
beforeAll(async () => {
  const up = await cli(["lab", "up", "--state", state]);
  expect(up.exitCode, up.all).toBe(0);
});
afterAll(async () => {
  await cli(["lab", "down", "--state", state]);
  rmSync(home, { recursive: true, force: true });
});

const bake = (folder = state) => cli(["bake", "--fallback", "--state", folder]);

/** The builder, once Packer is at work in it. */
function builderAtWork(folder = state): Promise<ShownInstance> {
  return eventually("a builder at work", async () => {
    const builder = (await instances(folder)).find(
      (item) => item.name.endsWith("(builder)") && item.state === "running",
    );
    if (builder === undefined) return undefined;
    const there = await inGuest(folder, builder.id, "test -e /tmp/eclair-ami.tar");
    return there.exitCode === 0 ? builder : undefined;
  });
}

/** Kills the Packer that runs in this lab's namespace, and its plugins with it. */
async function killPacker(): Promise<void> {
  const { stdout } = await execa("ip", ["netns", "pids", labPlace(state).netns]);
  for (const pid of stdout.split("\n").map(Number)) {
    const name = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, 2).join(" ");
    if (name.endsWith("/packer build")) process.kill(pid, "SIGKILL");
  }
}

const builders = async () => (await instances(state)).filter((item) => item.name.endsWith("(builder)"));

test("a Packer that is killed leaves nothing running, and the bake says so", async () => {
  const run = bake();
  await builderAtWork();
  await killPacker();
  const { exitCode, all } = await run;
  expect(exitCode).toBe(1);
  expect(all).toMatch(/Packer ended with SIGKILL/);
  expect(all).toMatch(/nothing runs any more: took away i-/);
  expect(await builders()).toEqual([]);
});

test("Ctrl-C during a bake ends with 130 and leaves nothing running", async () => {
  const run = bake();
  await builderAtWork();
  run.kill("SIGINT");
  const { exitCode, all } = await run;
  expect(exitCode).toBe(130);
  expect(all).toMatch(/interrupted/);
  expect(await builders()).toEqual([]);
});

test("a full disk in the builder fails the bake with the line that says so; --keep keeps it for a look", async () => {
  const run = cli(["bake", "--fallback", "--keep", "--state", state]);
  const builder = await builderAtWork();
  await inGuest(
    state,
    builder.id,
    "fallocate -l $(($(df --output=avail -B1 / | tail -1) - 150000000)) /fill",
  );
  const { exitCode, all } = await run;
  expect(exitCode).toBe(1);
  expect(all).toMatch(/No space left on device|(do not|don.t) have enough free space|enough free space/);
  expect(all).toMatch(/in the phase "provision: packages"/);
  expect(all).toMatch(/kept as asked.*lab shell/);
  expect((await inGuest(state, builder.id, "ls /fill")).stdout).toBe("/fill");
  expect((await cli(["terminate", builder.id, "--state", state])).exitCode).toBe(0);
  await eventually("the builder to be gone", async () =>
    (await builders()).length === 0 ? true : undefined,
  );
});

test("an image with a seed in it is refused", async () => {
  const run = bake();
  const builder = await builderAtWork();
  await inGuest(state, builder.id, "head -c 32 /dev/urandom > /srv/node_seed.dat");
  const { exitCode, all } = await run;
  expect(exitCode).toBe(1);
  expect(all).toMatch(/in the phase "provision: validate"/);
  expect(all).toMatch(/seed: \/srv\/node_seed\.dat/);
  expect(await builders()).toEqual([]);
});

test("a controller that is killed during a bake is back at once, and the bake goes on", async () => {
  const run = bake();
  await builderAtWork();
  const before = readFileSync(layout.log(labPlace(state), "controller"), "utf8");
  await execa("pkill", ["-KILL", "--full", `lab/control/main.ts ${state}`]);
  const { exitCode, all } = await run;
  expect(exitCode, all).toBe(0);
  const after = readFileSync(layout.log(labPlace(state), "controller"), "utf8");
  expect(after.slice(before.length)).toContain("the controller is up");
});

test("two bakes at once, and a second lab beside the first that goes down during its bake", async () => {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-e2e-second-"));
  const second = join(folder, "lab");
  try {
    const first = bake();
    expect((await cli(["lab", "up", "--state", second])).exitCode).toBe(0);
    const doomed = bake(second);
    await builderAtWork(second);
    const place = labPlace(second);
    await cli(["lab", "down", "--state", second]);
    const { exitCode, all } = await doomed;
    expect(exitCode).toBe(1);
    expect(all).toMatch(/the lab went down/);
    expect(processesIn(place.cgroup)).toEqual([]);
    expect((await execa("ip", ["netns", "list"])).stdout).not.toContain(place.netns);
    expect((await execa("losetup", ["--list"])).stdout).not.toContain(second);
    const another = bake();
    const results = await Promise.all([first, another]);
    for (const result of results) expect(result.exitCode, result.all).toBe(0);
  } finally {
    await cli(["lab", "down", "--state", second]);
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a lab whose processes were all killed is cleared by `down`, and by the next `up`", async () => {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-e2e-crash-"));
  const crashed = join(folder, "lab");
  try {
    await cli(["lab", "up", "--state", crashed]);
    const { holder } = JSON.parse(readFileSync(layout.facts(labPlace(crashed)), "utf8")) as {
      holder: { pid: number };
    };
    process.kill(holder.pid, "SIGKILL");
    const status = await cli(["lab", "status", "--state", crashed]);
    expect(status.exitCode).toBe(1);
    expect(status.all).toMatch(/it has ended/);
    expect((await cli(["lab", "up", "--state", crashed])).exitCode).toBe(0);
    await cli(["lab", "down", "--state", crashed]);
    expect((await execa("ip", ["link"])).stdout).not.toContain(labPlace(crashed).hostLink);
  } finally {
    await cli(["lab", "down", "--state", crashed]);
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a folder that is no lab's is left alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-e2e-foreign-"));
  try {
    const up = await cli(["lab", "up", "--state", folder]);
    expect(up.exitCode).toBe(2);
    expect(up.all).toMatch(/is no lab's state folder/);
    await cli(["lab", "down", "--state", folder]);
    expect(readFileSync("/proc/mounts", "utf8")).not.toContain(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("`bake --target aws` with its endpoints pinned to a lab runs the same steps", async () => {
  const place = labPlace(state);
  const facts = JSON.parse(readFileSync(layout.facts(place), "utf8")) as {
    endpoint: string;
    network: { subnetIds: Record<string, string> };
  };
  const subnet = facts.network.subnetIds["us-east-1a"] ?? "";
  // Inside the lab's namespace, as a release engineer would be inside the VPC.
  const run = await execa(
    "nsenter",
    [
      `--net=/run/netns/${place.netns}`,
      "./eclair-ami",
      ...["bake", "--fallback", "--target", "aws", "--region", "us-east-1"],
      ...["--subnet", subnet, "--ssh", "private_ip"],
    ],
    {
      all: true,
      reject: false,
      env: { AWS_ENDPOINT_URL: facts.endpoint, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
    },
  );
  expect(run.exitCode, run.all).toBe(0);
  expect(run.all).toMatch(/test boot\s+8 checks passed/);
});
