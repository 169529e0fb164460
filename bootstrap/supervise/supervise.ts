import { setTimeout as sleep } from "node:timers/promises";
import { healthPort, healthServer } from "./health.ts";
import { notify } from "./notify.ts";
import { Supervisor } from "./supervisor.ts";

const turnMilliseconds = 50;
const lookMilliseconds = 1_000;
const notifyMilliseconds = 2_000;

/** Runs Eclair on this host whenever it may run here, and says how it stands; ends on SIGTERM. */
export async function supervise(): Promise<void> {
  const supervisor = new Supervisor();
  const server = healthServer(() => supervisor.state());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(healthPort, "0.0.0.0", resolve);
  });
  await supervisor.begin();
  await notify("--ready", "--status=looking around");

  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => void supervisor.leave().finally(() => stop.abort()));
  const watch = setInterval(() => supervisor.watch(), turnMilliseconds);
  await Promise.all([
    every(turnMilliseconds, stop.signal, () => supervisor.turn()),
    every(lookMilliseconds, stop.signal, () => supervisor.look()),
    // A loop of its own: what takes its time elsewhere is no hang, and a loop that hangs is seen though another goes on.
    every(notifyMilliseconds, stop.signal, async () => {
      if (supervisor.isLive) await notify("WATCHDOG=1", `--status=${supervisor.summary()}`);
    }),
  ]);
  clearInterval(watch);
  await supervisor.end();
  server.close();
  server.closeAllConnections();
}

async function every(milliseconds: number, stop: AbortSignal, task: () => Promise<void>): Promise<void> {
  while (!stop.aborted) {
    await task();
    await sleep(milliseconds, undefined, { signal: stop }).catch(() => undefined);
  }
}
