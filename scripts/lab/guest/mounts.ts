import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";

/** Whether something is mounted on a folder in this process' mount namespace. */
export function isMounted(folder: string): boolean {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[4] === folder);
}

const busyForMilliseconds = 10_000;

/**
 * Unmounts a folder. The kernel takes a guest's mount namespace down some time after its last process,
 * and a file system is busy until then: that, and nothing else, is waited for.
 */
export async function unmountIfMounted(folder: string): Promise<void> {
  const end = performance.now() + busyForMilliseconds;
  while (isMounted(folder)) {
    const { exitCode, stderr } = await execa("umount", [folder], { reject: false });
    if (exitCode === 0) continue;
    if (!stderr.includes("busy") || performance.now() > end) throw new Error(`umount ${folder}: ${stderr}`);
    await sleep(20);
  }
}

/** Waits until the kernel has let go of a disk file that was mounted: until then its file system lives on. */
export async function released(file: string): Promise<void> {
  const end = performance.now() + busyForMilliseconds;
  for (;;) {
    const { stdout } = await execa("losetup", ["--noheadings", "--output", "NAME", "--associated", file]);
    if (stdout.trim() === "") return;
    if (performance.now() > end) throw new Error(`${file} is still in use as ${stdout.trim()}`);
    await sleep(20);
  }
}
