import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { execa } from "execa";
import { majorOf, minorOf } from "../host/devices.ts";
import { layout, type LabPaths } from "../paths.ts";
import { guestInit, type Machine } from "./machine.ts";
import { waitUntilDetached } from "./mounts.ts";

// EBS volumes other than root volumes: sparse files that a guest sees as block devices.

const reflinkOrCopy = ["--reflink=auto", "--sparse=always"];

/** Creates an empty volume, or a volume with the content of a snapshot. */
export async function createVolume(
  lab: LabPaths,
  volume: { id: string; gibibytes: number; snapshotId?: string },
): Promise<void> {
  const file = layout.volume(lab, volume.id);
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true });
  if (volume.snapshotId !== undefined)
    await execa("cp", [...reflinkOrCopy, layout.snapshot(lab, volume.snapshotId), file]);
  await execa("truncate", ["--size", `${volume.gibibytes}G`, file]);
}

/** Creates a crash-consistent copy: it contains what the guest has written to the device. */
export async function snapshotVolume(lab: LabPaths, volumeId: string, snapshotId: string): Promise<void> {
  const file = layout.snapshot(lab, snapshotId);
  mkdirSync(dirname(file), { recursive: true });
  for (const device of await devicesOf(lab, volumeId)) await execa("blockdev", ["--flushbufs", device]);
  await execa("cp", [...reflinkOrCopy, layout.volume(lab, volumeId), file]);
}

/** Enlarges a volume, also while a guest uses it. */
export async function resizeVolume(lab: LabPaths, volumeId: string, gibibytes: number): Promise<void> {
  await execa("truncate", ["--size", `${gibibytes}G`, layout.volume(lab, volumeId)]);
  for (const device of await devicesOf(lab, volumeId)) await execa("losetup", ["--set-capacity", device]);
}

export function deleteVolume(lab: LabPaths, volumeId: string): void {
  rmSync(layout.volume(lab, volumeId), { force: true });
}

export function deleteSnapshot(lab: LabPaths, snapshotId: string): void {
  rmSync(layout.snapshot(lab, snapshotId), { force: true });
}

async function devicesOf(lab: LabPaths, volumeId: string): Promise<string[]> {
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

/**
 * Creates the volume's block device in a running guest, under the device name of the attachment, e.g. /dev/sdf.
 * @returns false when the guest does not run yet
 */
export async function attachVolume(machine: Machine, volumeId: string, deviceName: string): Promise<boolean> {
  const init = guestInit(machine);
  if (init === undefined) return false;
  const inGuest = (...args: string[]) => execa("nsenter", ["--target", String(init), "--mount", ...args]);
  // This function runs several times a second, and a new process each time would need too much processor time.
  if (statSync(`/proc/${init}/root${deviceName}`, { throwIfNoEntry: false })?.isBlockDevice()) return true;
  const [device] = await devicesOf(machine.lab, volumeId);
  const loop =
    device ??
    (await execa("losetup", ["--find", "--show", layout.volume(machine.lab, volumeId)])).stdout.trim();
  const { rdev } = statSync(loop);
  await inGuest("mknod", "--mode=0660", deviceName, "b", String(majorOf(rdev)), String(minorOf(rdev)));
  await inGuest("mkdir", "--parents", "/dev/disk/by-id");
  await inGuest("ln", "--symbolic", "--force", deviceName, nitroLink(volumeId));
  return true;
}

/** The link that a Nitro instance has for a volume. */
const nitroLink = (volumeId: string) =>
  `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volumeId.replace("-", "")}`;

export async function detachVolume(
  machine: Machine | undefined,
  lab: LabPaths,
  volumeId: string,
  deviceName: string,
): Promise<void> {
  const init = machine === undefined ? undefined : guestInit(machine);
  if (init !== undefined)
    await execa("nsenter", [
      ...["--target", String(init), "--mount"],
      ...["rm", "--force", deviceName, nitroLink(volumeId)],
    ]);
  for (const device of await devicesOf(lab, volumeId)) await execa("losetup", ["--detach", device]);
  // The next instance must not get a device that disappears.
  await waitUntilDetached(layout.volume(lab, volumeId));
}

/** Whether the lab has a snapshot. It has no snapshot of a root volume, which consists of layers. */
export function hasSnapshot(lab: LabPaths, snapshotId: string): boolean {
  return existsSync(layout.snapshot(lab, snapshotId));
}
