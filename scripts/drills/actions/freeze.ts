import { ports } from "../../../bootstrap/contract/ports.ts";
import { databaseOf } from "../environment.ts";
import { DrillFailure, type DrillRun } from "../run.ts";
import { dropPackets } from "./network.ts";
import { readUnmanagedPid } from "./unmanaged-eclair.ts";

const freezeEclair = "pkill -STOP -u eclair";
export const resumeEclair = "pkill -CONT -u eclair";
const eclairPid = "pgrep -u eclair -o java";
/** Eclair checks its lease every five seconds, and takes ten seconds to exit after it has lost the lease. */
const exitTimeoutSeconds = 40;
const renewalTimeoutSeconds = 10;
/**
 * Eclair writes to its database ten seconds after a payment (`CommonHandlers.acking`). A resumed Eclair with such a
 * write pending may write before it renews its lease, which makes it exit.
 */
const settlementSeconds = 11;

/**
 * Freezes the supervised Eclair until the standby serves.
 * @throws DrillFailure when the watchdog has not killed the frozen Eclair by then
 */
export async function freezeUntilTakeover(run: DrillRun): Promise<void> {
  const { active, standby } = run.pair;
  await run.injectOnHost(active, freezeEclair);
  const pid = await run.runOnHost(active, eclairPid);
  await run.waitUntilServing([standby]);
  const remaining = await run.runOnHost(active, `ps -o pid= -p ${pid.trim()} || true`);
  if (remaining.trim() !== "")
    throw new DrillFailure(`the frozen Eclair on ${active} was still alive when the standby served`);
}

/**
 * Freezes an unmanaged Eclair until the standby serves.
 * @returns the frozen process
 */
export async function freezeUnmanagedUntilTakeover(run: DrillRun): Promise<string> {
  const { active, standby } = run.pair;
  const pid = await readUnmanagedPid(run.environment, active);
  await run.injectOnHost(active, freezeEclair);
  await run.waitUntilServing([standby]);
  return pid;
}

/**
 * Freezes an unmanaged Eclair until the standby has served and stopped. First removes every source of writes from the
 * Eclair: a pending write may run before the renewal, find the lease expired, and make Eclair exit.
 * @param stopStandby stops the Eclair of the standby
 * @returns the frozen process
 */
export async function freezeUnmanagedUntilRelease(
  run: DrillRun,
  stopStandby: () => Promise<void>,
): Promise<string> {
  const { environment, pair, addresses } = run;
  await run.observers.stopLoad(pair.active);
  await run.peer?.call("disconnect", `nodeId=${environment.configuration.nodeId}`);
  await dropPackets(environment.lab, [{ to: addresses.active, port: ports.lightning }]);
  if (run.peer !== undefined) await run.wait(settlementSeconds);
  await waitUntilRenewed(run);
  const pid = await freezeUnmanagedUntilTakeover(run);
  await run.wait(2);
  await stopStandby();
  return pid;
}

/** Waits until Eclair renews its lease: a renewal that is frozen loses its session, so that Eclair exits without the fence. */
async function waitUntilRenewed(run: DrillRun): Promise<void> {
  const readExpiry = () => databaseOf(run.environment).sql("select expires_at from lease");
  const end = performance.now() + renewalTimeoutSeconds * 1000;
  const initial = await readExpiry();
  while ((await readExpiry()) === initial) {
    if (performance.now() > end)
      throw new DrillFailure(`Eclair did not renew its lease within ${renewalTimeoutSeconds} s`);
    await run.wait(0.1);
  }
}

/** Waits until a superseded Eclair exits without a supervisor. */
export async function waitUntilExited(run: DrillRun, id: string, pid: string): Promise<void> {
  const end = performance.now() + exitTimeoutSeconds * 1000;
  while ((await readUnmanagedPid(run.environment, id)) === pid) {
    if (performance.now() > end)
      throw new DrillFailure(`the superseded Eclair on ${id} still ran after ${exitTimeoutSeconds} s`);
    await run.wait(0.25);
  }
}
