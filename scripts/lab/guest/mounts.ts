import { readFileSync } from "node:fs";
import { execa } from "execa";

/** Whether something is mounted on a folder in this process' mount namespace. */
export function isMounted(folder: string): boolean {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[4] === folder);
}

export async function unmountIfMounted(folder: string): Promise<void> {
  if (isMounted(folder)) await execa("umount", [folder]);
}
