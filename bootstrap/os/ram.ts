import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { BootFailure } from "../failure.ts";

/**
 * Refuses to write a secret anywhere but into a RAM file system that is never swapped:
 * a tmpfs mounted with `noswap` (Linux 6.4), see run-eclair.mount.
 * @param path of a mount point, or of a file right below one
 */
export function requireRam(path: string): void {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  for (const line of mounts.toReversed()) {
    const [, target, type, options = ""] = line.split(" ");
    if (target !== path && target !== dirname(path)) continue;
    if (type === "tmpfs" && options.split(",").includes("noswap")) return;
    break;
  }
  throw new BootFailure({
    code: "ram.missing",
    cause: `${path} is not in RAM that is never swapped`,
    remedy:
      "look at `systemctl status run-eclair.mount run-eclair\\x2dsupervisor.mount`; nothing secret was written",
  });
}

/** Writes into RAM; says so when that is full. */
export function inRam(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    throw new BootFailure(
      {
        code: "ram.full",
        cause: `${path} can't be written: the file system in RAM is full`,
        remedy: "look at what else is in that folder; it is tried again",
        heals: true,
      },
      { cause: error },
    );
  }
}
