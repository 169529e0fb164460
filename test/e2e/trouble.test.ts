import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readFacts, serviceNsenterArguments } from "../../scripts/lab/facts.ts";
import { processesIn } from "../../scripts/lab/host/cgroup.ts";
import { labPaths, layout } from "../../scripts/lab/paths.ts";
import { cli, eventually, inGuest, listInstances, type ListedInstance } from "./cli.ts";
import { scratchFolder } from "./scratch.ts";

/** These tests need their own lab, because they kill its processes and check for leftovers. */
const home = scratchFolder("eclair-ami-e2e-trouble-");
const state = join(home, "lab");
beforeAll(async () => {
  const up = await cli(["lab", "up", "--state", state]);
  if (up.exitCode !== 0) throw new Error(up.all);
});
afterAll(async () => {
  await cli(["lab", "down", "--state", state]);
  rmSync(home, { recursive: true, force: true });
});

type EndedBake = { readonly exitCode?: number | undefined; readonly all: string };

const bake = (folder = state) => cli(["bake", "--skip-releases", "--state", folder]);

/** Waits until Packer has uploaded the bundle to a builder, and returns this builder. */
function waitForBuilder(folder = state): Promise<ListedInstance> {
  return eventually("a builder with the bundle", async () => {
    const builder = (await listInstances(folder)).find(
      (item) => item.name.endsWith("(builder)") && item.state === "running",
    );
    if (builder === undefined) return undefined;
    const bundle = await inGuest(folder, builder.instanceId, "test -e /tmp/eclair-ami.tar");
    return bundle.exitCode === 0 ? builder : undefined;
  });
}

/** Kills the Packer that runs in the network namespace of this lab. */
async function killPacker(): Promise<void> {
  const { stdout } = await execa("ip", ["netns", "pids", labPaths(state).netns]);
  for (const pid of stdout.split("\n").map(Number)) {
    const name = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, 2).join(" ");
    if (name.endsWith("/packer build")) process.kill(pid, "SIGKILL");
  }
}

const builders = async () => (await listInstances(state)).filter((item) => item.name.endsWith("(builder)"));

test("when Packer is killed, the bake removes its resources and reports them", async () => {
  const run = bake();
  await waitForBuilder();
  await killPacker();
  const { exitCode, all } = await run;
  expect(exitCode).toBe(1);
  expect(all).toMatch(/Packer ended with SIGKILL/);
  expect(all).toMatch(/the bake removed its resources: i-/);
  expect(await builders()).toEqual([]);
});

test("Ctrl-C during a bake exits with code 130 and leaves no builder", async () => {
  const run = bake();
  await waitForBuilder();
  run.kill("SIGINT");
  const { exitCode, all } = await run;
  expect(exitCode).toBe(130);
  expect(all).toMatch(/interrupted/);
  expect(await builders()).toEqual([]);
});

test("a full disk in the builder fails the bake with the line that reports it; --keep-on-failure keeps the builder", async () => {
  const run = cli(["bake", "--skip-releases", "--keep-on-failure", "--state", state]);
  const builder = await waitForBuilder();
  await inGuest(
    state,
    builder.instanceId,
    "fallocate -l $(($(df --output=avail -B1 / | tail -1) - 150000000)) /fill",
  );
  const { exitCode, all } = await run;
  expect(exitCode).toBe(1);
  expect(all).toMatch(/No space left on device|(do not|don.t) have enough free space|enough free space/);
  expect(all).toMatch(/in the phase "provision: packages"/);
  expect(all).toMatch(/with --keep-on-failure, .*lab shell/);
  expect((await inGuest(state, builder.instanceId, "ls /fill")).stdout).toBe("/fill");
  expect((await cli(["terminate", builder.instanceId, "--state", state])).exitCode).toBe(0);
  await eventually("the builder to be terminated", async () =>
    (await builders()).length === 0 ? true : undefined,
  );
});

test("the bake refuses an image that contains a seed", async () => {
  const run = bake();
  const builder = await waitForBuilder();
  await inGuest(state, builder.instanceId, "head -c 32 /dev/urandom > /srv/node_seed.dat");
  const { exitCode, all } = await run;
  expect(exitCode).toBe(1);
  expect(all).toMatch(/in the phase "provision: validate"/);
  expect(all).toMatch(/seed: \/srv\/node_seed\.dat/);
  expect(await builders()).toEqual([]);
});

describe("two bakes at the same time, while their controller is killed and a second lab is stopped during its own bake", () => {
  const folder = scratchFolder("eclair-ami-e2e-second-");
  const second = join(folder, "lab");
  let log: string;
  let bakes: EndedBake[];
  let interrupted: EndedBake;

  beforeAll(async () => {
    const running = [bake(), bakeOnAws()];
    await waitForBuilder();
    const before = readFileSync(layout.log(labPaths(state), "controller"), "utf8");
    await execa("pkill", ["-KILL", "--full", `lab/control/main.ts ${state}`]);
    const up = await cli(["lab", "up", "--state", second]);
    if (up.exitCode !== 0) throw new Error(up.all);
    const third = bake(second);
    await waitForBuilder(second);
    await cli(["lab", "down", "--state", second]);
    interrupted = await third;
    bakes = await Promise.all(running);
    log = readFileSync(layout.log(labPaths(state), "controller"), "utf8").slice(before.length);
  });
  afterAll(async () => {
    await cli(["lab", "down", "--state", second]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the command inside the network of the lab, like on a machine inside the VPC. */
  function bakeOnAws() {
    const paths = labPaths(state);
    const facts = JSON.parse(readFileSync(layout.facts(paths), "utf8")) as {
      endpoint: string;
      network: { subnetIds: Record<string, string> };
    };
    const subnet = facts.network.subnetIds["us-east-1a"] ?? "";
    return execa(
      "nsenter",
      [
        `--net=/run/netns/${paths.netns}`,
        "./eclair-ami",
        ...["bake", "--skip-releases", "--target", "aws", "--region", "us-east-1"],
        ...["--subnet", subnet, "--ssh-interface", "private_ip"],
      ],
      {
        all: true,
        reject: false,
        stdin: "ignore",
        env: { AWS_ENDPOINT_URL: facts.endpoint, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
      },
    );
  }

  test("the controller restarts at once, and both bakes succeed", () => {
    expect(log).toContain("the controller runs");
    for (const { exitCode, all } of bakes) expect(exitCode, all).toBe(0);
  });

  test("`bake --target aws` with its endpoints pinned to the lab runs the same steps", () => {
    for (const { all } of bakes) expect(all).toMatch(/image test\s+8 checks passed/);
  });

  test("the bake of the stopped lab reports that the lab was stopped, and leaves nothing", async () => {
    const { exitCode, all } = interrupted;
    expect(exitCode).toBe(1);
    expect(all).toMatch(/the lab was stopped, and the resources of the bake ended with it/);
    const secondPaths = labPaths(second);
    expect(processesIn(secondPaths.cgroup)).toEqual([]);
    expect((await execa("ip", ["netns", "list"])).stdout).not.toContain(secondPaths.netns);
    // The kernel shows the path below the mount point of its file system.
    expect((await execa("losetup", ["--list"])).stdout).not.toContain(basename(folder));
  });
});

test("`lab down` and the next `lab up` clean up a lab whose processes were all killed", async () => {
  const folder = scratchFolder("eclair-ami-e2e-crash-");
  const crashed = join(folder, "lab");
  try {
    await cli(["lab", "up", "--state", crashed]);
    const paths = labPaths(crashed);
    const facts = readFacts(paths);
    if (facts?.initProcess === undefined) throw new Error("the lab is not up");
    // As the volume of a guest: the kernel shows the path of its file differently outside of the lab's mount namespace.
    const volume = layout.volume(paths, "vol-of-crashed-lab");
    mkdirSync(dirname(volume), { recursive: true });
    await execa("truncate", ["--size", "1M", volume]);
    await execa("nsenter", [...serviceNsenterArguments(paths, facts), "losetup", "--find", volume]);
    process.kill(facts.initProcess.pid, "SIGKILL");
    const status = await cli(["lab", "status", "--state", crashed]);
    expect(status.exitCode).toBe(1);
    expect(status.all).toMatch(/the lab does not run/);
    expect((await cli(["lab", "up", "--state", crashed])).exitCode).toBe(0);
    await cli(["lab", "down", "--state", crashed]);
    expect((await execa("losetup", ["--list"])).stdout).not.toContain("vol-of-crashed-lab");
    expect((await execa("ip", ["link"])).stdout).not.toContain(labPaths(crashed).hostLink);
  } finally {
    await cli(["lab", "down", "--state", crashed]);
    rmSync(folder, { recursive: true, force: true });
  }
});

test("`lab up` and `lab down` do not change a folder that does not belong to a lab", async () => {
  const folder = scratchFolder("eclair-ami-e2e-foreign-");
  try {
    const up = await cli(["lab", "up", "--state", folder]);
    expect(up.exitCode).toBe(2);
    expect(up.all).toMatch(/is not the state folder of a lab/);
    await cli(["lab", "down", "--state", folder]);
    expect(readFileSync("/proc/mounts", "utf8")).not.toContain(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
