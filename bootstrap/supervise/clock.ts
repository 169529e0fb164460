import { readFileSync } from "node:fs";

/** Seconds since the machine was started, the time it was suspended included (CLOCK_BOOTTIME). */
export function boottime(): number {
  return Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
}
