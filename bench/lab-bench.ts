// Shared by the benchmarks: a separate lab, bakes, and instances of the baked images.
import {
  RunInstancesCommand,
  TerminateInstancesCommand,
  type Instance,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { Manifest } from "../scripts/image/manifest.ts";
import { takeDown } from "../scripts/lab/down.ts";
import { labPaths, type LabPaths } from "../scripts/lab/paths.ts";
import { bringUp } from "../scripts/lab/up.ts";
import { root } from "../scripts/machine/paths.mjs";
import { labTarget } from "../scripts/lab/target.ts";
import { type Target } from "../scripts/target/target.ts";

/** Runs `task` in a new lab, and then removes the lab. */
export async function inOwnLab<T>(task: (lab: LabPaths) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-bench-"));
  const lab = labPaths(join(folder, "lab"));
  try {
    await bringUp(lab);
    return await task(lab);
  } finally {
    await takeDown(lab);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs one bake, as a user does. */
export async function bakeOnce(lab: LabPaths, eclairZip?: string): Promise<Manifest> {
  const { stdout } = await execa(
    join(root, "eclair-ami"),
    [
      "bake",
      "--skip-releases",
      "--json",
      "--state",
      lab.state,
      ...(eclairZip === undefined ? [] : ["--eclair", eclairZip]),
    ],
    { env: { ECLAIR_ZIP: undefined } },
  );
  const last = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { manifest: string };
  return Manifest.parse(JSON.parse(readFileSync(last.manifest, "utf8")));
}

/** Starts one instance of an image. */
export async function startInstance(target: Target, imageId: string): Promise<Instance> {
  const { Instances } = await target.client(EC2Client).send(
    new RunInstancesCommand({
      ImageId: imageId,
      MinCount: 1,
      MaxCount: 1,
      InstanceType: "t3.medium",
      SubnetId: target.instance.subnetId,
    }),
  );
  const [instance] = Instances ?? [];
  if (instance === undefined) throw new Error(`no instance of ${imageId} was started`);
  return instance;
}

/** Starts an instance, and returns the milliseconds until its SSH port answers. */
export async function startToSsh(lab: LabPaths, imageId: string): Promise<number> {
  const target = labTarget(lab);
  const started = performance.now();
  const { InstanceId = "", PrivateIpAddress = "" } = await startInstance(target, imageId);
  const [command = "", ...prefix] = target.commandPrefix;
  const probe = ["bash", "-c", `exec 3<>/dev/tcp/${PrivateIpAddress}/22 && head -c 4 <&3`];
  while ((await execa(command, [...prefix, "timeout", "1", ...probe], { reject: false })).stdout !== "SSH-")
    await sleep(20);
  const milliseconds = performance.now() - started;
  await target.client(EC2Client).send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] }));
  return milliseconds;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
