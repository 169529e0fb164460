import { setTimeout as sleep } from "node:timers/promises";
import { HelperProcess } from "../os/helper-process.ts";
import { notify } from "../os/notify.ts";
import type { HealthMessage } from "./health/process.ts";
import { Supervisor } from "./supervisor.ts";

const leaseMilliseconds = 50;
const pollMilliseconds = 1_000;
const publishMilliseconds = 250;
const notifyMilliseconds = 2_000;

/** Runs the supervisor until SIGTERM. */
export async function supervise(): Promise<void> {
  const supervisor = new Supervisor();
  const health = new HelperProcess("health", "health.ended");
  health.start();
  await supervisor.start();
  await notify("--ready", "--status=running");

  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => void supervisor.shutDown().finally(() => stop.abort()));
  const watchdog = setInterval(() => supervisor.enforceWatchdog(), leaseMilliseconds);
  await Promise.all([
    every(leaseMilliseconds, stop.signal, () => supervisor.followLease()),
    every(pollMilliseconds, stop.signal, () => supervisor.poll()),
    every(publishMilliseconds, stop.signal, async () => {
      const message: HealthMessage = { report: supervisor.report(), scrapers: supervisor.scrapers };
      health.publish(message);
      return await Promise.resolve();
    }),
    // A separate loop: a slow answer in another loop does not delay it, and `isLive` is false when another loop hangs.
    every(notifyMilliseconds, stop.signal, async () => {
      if (supervisor.isLive) await notify("WATCHDOG=1", `--status=${supervisor.summary()}`);
    }),
  ]);
  clearInterval(watchdog);
  await supervisor.close();
  health.stop();
}

async function every(milliseconds: number, stop: AbortSignal, task: () => Promise<void>): Promise<void> {
  while (!stop.aborted) {
    await task();
    await sleep(milliseconds, undefined, { signal: stop }).catch(() => undefined);
  }
}
