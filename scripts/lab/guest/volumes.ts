import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { execa } from "execa";
import { layout, type LabPlace } from "../place.ts";
import { guestInit, type Machine } from "./machine.ts";
import { released } from "./mounts.ts";

/** EBS volumes beside the root: sparse files that a guest gets as block devices. */

const reflinkOrCopy = ["--reflink=auto", "--sparse=always"];

/** A volume without content, or with a snapshot's. */
export async function createVolume(
  lab: LabPlace,
  volume: { id: string; gibibytes: number; snapshotId?: string },
): Promise<void> {
  const file = layout.volume(lab, volume.id);
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true });
  if (volume.snapshotId !== undefined)
    await execa("cp", [...reflinkOrCopy, layout.snapshot(lab, volume.snapshotId), file]);
  await execa("truncate", ["--size", `${volume.gibibytes}G`, file]);
}

/** A point-in-time copy, as after a power cut: what the guest wrote out is in it. */
export async function snapshotVolume(lab: LabPlace, volumeId: string, snapshotId: string): Promise<void> {
  const file = layout.snapshot(lab, snapshotId);
  mkdirSync(dirname(file), { recursive: true });
  for (const device of await devicesOf(lab, volumeId)) await execa("blockdev", ["--flushbufs", device]);
  await execa("cp", [...reflinkOrCopy, layout.volume(lab, volumeId), file]);
}

export function deleteVolume(lab: LabPlace, volumeId: string): void {
  rmSync(layout.volume(lab, volumeId), { force: true });
}

export function deleteSnapshot(lab: LabPlace, snapshotId: string): void {
  rmSync(layout.snapshot(lab, snapshotId), { force: true });
}

async function devicesOf(lab: LabPlace, volumeId: string): Promise<string[]> {
  const { stdout } = await execa("losetup", [
    "--noheadings",
    "--output",
    "NAME",
    "--associated",
    layout.volume(lab, volumeId),
  ]);
  return stdout
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** Makes the volume a block device of the running guest under the name EC2 was given, e.g. /dev/sdf. */
export async function attachVolume(machine: Machine, volumeId: string, deviceName: string): Promise<boolean> {
  const init = guestInit(machine);
  if (init === undefined) return false;
  const inGuest = (...args: string[]) => execa("nsenter", ["--target", String(init), "--mount", ...args]);
  // Asked several times a second, and a process each time would take the lab's processors.
  if (statSync(`/proc/${init}/root${deviceName}`, { throwIfNoEntry: false })?.isBlockDevice()) return true;
  const [device] = await devicesOf(machine.lab, volumeId);
  const loop =
    device ??
    (await execa("losetup", ["--find", "--show", layout.volume(machine.lab, volumeId)])).stdout.trim();
  const { rdev } = statSync(loop);
  const major = (rdev >> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >> 12) & 0xfff00);
  await inGuest("mknod", "--mode=0660", deviceName, "b", String(major), String(minor));
  return true;
}

export async function detachVolume(
  machine: Machine | undefined,
  lab: LabPlace,
  volumeId: string,
  deviceName: string,
): Promise<void> {
  const init = machine === undefined ? undefined : guestInit(machine);
  if (init !== undefined)
    await execa("nsenter", ["--target", String(init), "--mount", "rm", "--force", deviceName]);
  for (const device of await devicesOf(lab, volumeId)) await execa("losetup", ["--detach", device]);
  // The next instance must not get a device that goes away under it.
  await released(layout.volume(lab, volumeId));
}

/** A copy of a whole image's disk can't be made from layers: EC2 can, so say what the lab can't. */
export function isSnapshotThere(lab: LabPlace, snapshotId: string): boolean {
  return existsSync(layout.snapshot(lab, snapshotId));
}
