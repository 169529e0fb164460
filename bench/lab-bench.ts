// Shared by the benches: a lab of their own, bakes in it, and instances of what was baked.
import { RunInstancesCommand, TerminateInstancesCommand, type Instance } from "@aws-sdk/client-ec2";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { Manifest } from "../scripts/bake/manifest.ts";
import { takeDown } from "../scripts/lab/down.ts";
import { labPlace, type LabPlace } from "../scripts/lab/place.ts";
import { bringUp } from "../scripts/lab/up.ts";
import { root } from "../scripts/setup/places.mjs";
import { labTarget, type Target } from "../scripts/target/target.ts";

/** Runs `task` in a lab that goes away afterwards. */
export async function inOwnLab<T>(task: (lab: LabPlace) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-bench-"));
  const lab = labPlace(join(folder, "lab"));
  try {
    await bringUp(lab);
    return await task(lab);
  } finally {
    await takeDown(lab);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One bake as a user would run it. */
export async function bakeOnce(lab: LabPlace, eclairZip?: string): Promise<Manifest> {
  const { stdout } = await execa(
    join(root, "eclair-ami"),
    [
      "bake",
      "--fallback",
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
  const { Instances } = await target.ec2.send(
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

/** Milliseconds from the call that starts an instance to its SSH port answering. */
export async function startToSsh(lab: LabPlace, imageId: string): Promise<number> {
  const target = labTarget(lab);
  const started = performance.now();
  const { InstanceId = "", PrivateIpAddress = "" } = await startInstance(target, imageId);
  const [reach = "", ...words] = target.reach;
  const probe = ["bash", "-c", `exec 3<>/dev/tcp/${PrivateIpAddress}/22 && head -c 4 <&3`];
  while ((await execa(reach, [...words, "timeout", "1", ...probe], { reject: false })).stdout !== "SSH-")
    await sleep(20);
  const took = performance.now() - started;
  await target.ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] }));
  return took;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
