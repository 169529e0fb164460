import { existsSync, mkdtempSync, readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ram = "/dev/shm";
const gibibyte = 1024 ** 3;
/** A lab of the end-to-end tests uses up to 5 GiB. */
const requiredGibibytes = 12;

/**
 * A new folder for a lab, in RAM when this machine has enough of it: many guests that boot and fsync at the same time
 * wait for a disk most of their time.
 */
export function scratchFolder(prefix: string): string {
  return mkdtempSync(join(hasEnoughRam() ? ram : tmpdir(), prefix));
}

function hasEnoughRam(): boolean {
  if (!existsSync(ram)) return false;
  const [, available = "0"] = /^MemAvailable: +(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
  const { bavail, bsize } = statfsSync(ram);
  return (
    Number(available) * 1024 > requiredGibibytes * gibibyte && bavail * bsize > requiredGibibytes * gibibyte
  );
}
