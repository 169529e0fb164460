import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";

/** Whether a folder is a mount point in the mount namespace of this process. */
export function isMounted(folder: string): boolean {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[4] === folder);
}

const busyTimeoutMilliseconds = 10_000;

/**
 * Unmounts a folder. The kernel removes a guest's mount namespace some time after its last process, and the file system
 * is busy until then.
 */
export async function unmountIfMounted(folder: string): Promise<void> {
  const deadline = performance.now() + busyTimeoutMilliseconds;
  while (isMounted(folder)) {
    const { exitCode, stderr } = await execa("umount", [folder], { reject: false });
    if (exitCode === 0) continue;
    if (!stderr.includes("busy") || performance.now() > deadline)
      throw new Error(`umount ${folder}: ${stderr}`);
    await sleep(20);
  }
}

/** Waits until the kernel detached the loop device of a disk file: until then, its file system is in use. */
export async function waitUntilDetached(file: string): Promise<void> {
  const deadline = performance.now() + busyTimeoutMilliseconds;
  for (;;) {
    const { stdout } = await execa("losetup", ["--noheadings", "--output", "NAME", "--associated", file]);
    if (stdout.trim() === "") return;
    if (performance.now() > deadline) throw new Error(`${file} is still in use as ${stdout.trim()}`);
    await sleep(20);
  }
}
