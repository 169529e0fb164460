import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { EclairAmiError } from "../contract/errors.ts";

/**
 * Secrets are written only into a RAM file system that is never swapped: a tmpfs with the option `noswap` (Linux 6.4),
 * see run-eclair.mount.
 * @param path of a mount point, or of a file directly below one
 * @throws EclairAmiError `ram.not-mounted`
 */
export function requireRam(path: string): void {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  for (const line of mounts.toReversed()) {
    const [, target, type, options = ""] = line.split(" ");
    if (target !== path && target !== dirname(path)) continue;
    if (type === "tmpfs" && options.split(",").includes("noswap")) return;
    break;
  }
  throw new EclairAmiError({
    code: "ram.not-mounted",
    operation: "rendering files",
    message: `${path} is not in a RAM file system that is never swapped`,
    remedy:
      "check `systemctl status run-eclair.mount run-eclair\\x2dsupervisor.mount`. No secret was written",
  });
}

/**
 * Writes a file into a RAM file system.
 * @throws EclairAmiError `ram.full`
 */
export function inRam(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    throw new EclairAmiError(
      {
        code: "ram.full",
        operation: "rendering files",
        message: `${path} cannot be written: the RAM file system is full`,
        remedy: "check the folder for other files. The boot tries again",
        retryable: true,
      },
      { cause: error },
    );
  }
}
