import { readFileSync } from "node:fs";
import type { Moment } from "../record/table.ts";

/** Seconds since the machine was started, the time it was suspended included (CLOCK_BOOTTIME). */
export function boottime(): number {
  return Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
}

/** Orders what this instance says. */
export function moment(): Moment {
  return { bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(), uptime: boottime() };
}
