import { setTimeout as sleep } from "node:timers/promises";
import { HelperProcess } from "../os/helper-process.ts";
import { logErrors } from "../os/log-errors.ts";
import { notify } from "../os/notify.ts";
import type { HealthMessage } from "./health/process.ts";
import { Supervisor } from "./supervisor.ts";

const leaseMilliseconds = 50;
const pollMilliseconds = 1_000;
const publishMilliseconds = 250;
const notifyMilliseconds = 2_000;

/** Runs the supervisor until SIGTERM or SIGINT, and then stops it completely. */
export async function supervise(): Promise<void> {
  const supervisor = new Supervisor();
  const health = new HelperProcess("health", "health.ended");
  const started = Promise.withResolvers<void>();
  const stopped = abortWhenStopped(async () => {
    await started.promise;
    await supervisor.shutDown();
  });
  health.start();
  await supervisor.start();
  started.resolve();
  await notify("--ready", "--status=running");

  const watchdog = setInterval(() => supervisor.enforceWatchdog(), leaseMilliseconds);
  await Promise.all([
    every(leaseMilliseconds, stopped, () => supervisor.followLease()),
    every(pollMilliseconds, stopped, () => supervisor.poll()),
    every(publishMilliseconds, stopped, async () => {
      const message: HealthMessage = { report: supervisor.report(), scrapers: supervisor.scrapers };
      health.publish(message);
      return await Promise.resolve();
    }),
    // A separate loop: a slow answer in another loop does not delay it, and `isLive` is false when another loop hangs.
    every(notifyMilliseconds, stopped, async () => {
      if (supervisor.isLive) await notify("WATCHDOG=1", `--status=${supervisor.summary()}`);
    }),
  ]);
  clearInterval(watchdog);
  await supervisor.close();
  health.stop();
}

/**
 * Runs `stop` at the first SIGTERM or SIGINT. A later signal is ignored: its default action would end the supervisor, and so the
 * gates, before Eclair has stopped.
 * @returns a signal that aborts when `stop` has ended
 */
function abortWhenStopped(stop: () => Promise<void>): AbortSignal {
  const stopped = new AbortController();
  let running: Promise<void> | undefined;
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => {
      running ??= logErrors("stop", stop).finally(() => stopped.abort());
    });
  return stopped.signal;
}

async function every(milliseconds: number, stop: AbortSignal, task: () => Promise<void>): Promise<void> {
  while (!stop.aborted) {
    await task();
    await sleep(milliseconds, undefined, { signal: stop }).catch(() => undefined);
  }
}
