import { openSync, readFileSync, readSync } from "node:fs";
import type { BootTimestamp } from "../contract/record/table.ts";

/** The file stays open, because a supervisor reads the clock hundreds of times a second. */
const uptimeFile = openSync("/proc/uptime", "r");
/** Room for both numbers of the file, which end with a line break. */
const uptimeText = Buffer.alloc(64);

/** Seconds since the machine started, including the time that it was suspended (CLOCK_BOOTTIME). */
export function boottime(): number {
  const size = readSync(uptimeFile, uptimeText, 0, uptimeText.length, 0);
  return Number.parseFloat(uptimeText.toString("latin1", 0, size));
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
