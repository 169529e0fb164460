import { setTimeout as sleep } from "node:timers/promises";

const timeoutMilliseconds = 120_000;
const retryIntervalMilliseconds = 1_000;

/** EC2's IncorrectState and ELB's InvalidTarget, for an instance that EC2 does not report as running yet. */
const notRunning = /not '?running'?|not in (?:a|the) running state/i;

/** Repeats a call about this instance until EC2 reports the instance as running: a boot can be faster than EC2. */
export async function oncePastPending<T>(call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + timeoutMilliseconds;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Error) || !notRunning.test(error.message) || performance.now() > deadline)
        throw error;
    }
    await sleep(retryIntervalMilliseconds);
  }
}
