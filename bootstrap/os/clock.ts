import { readFileSync } from "node:fs";
import type { BootTimestamp } from "../contract/record/table.ts";

/** Seconds since the machine started, including the time that it was suspended (CLOCK_BOOTTIME). */
export function boottime(): number {
  return Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
}

/** Clock ticks per second in /proc, on every architecture (USER_HZ). */
const ticksPerSecond = 100;
/** The index of `starttime` among the fields after the name of the process, which can contain spaces (proc_pid_stat(5)). */
const startTimeField = 19;

/** Seconds since the first process of this instance started. In a container, `boottime` counts from the boot of the host. */
export function secondsSinceBoot(): number {
  const stat = readFileSync("/proc/1/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return boottime() - Number(fields[startTimeField]) / ticksPerSecond;
}

/** Orders the reports of this instance without the clock. */
export function bootTimestamp(): BootTimestamp {
  return {
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    uptimeSeconds: boottime(),
  };
}
