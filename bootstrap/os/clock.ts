import { readFileSync } from "node:fs";
import type { BootTimestamp } from "../contract/record/table.ts";

/** Seconds since the machine started, including the time that it was suspended (CLOCK_BOOTTIME). */
export function boottime(): number {
  return Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
}

/** Orders the reports of this instance without the clock. */
export function bootTimestamp(): BootTimestamp {
  return {
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    uptimeSeconds: boottime(),
  };
}
