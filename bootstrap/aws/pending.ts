import { setTimeout as sleep } from "node:timers/promises";

const patienceMilliseconds = 120_000;
const pauseMilliseconds = 1_000;

/** EC2's IncorrectState and ELB's InvalidTarget, for an instance that EC2 does not call running yet. */
const notRunning = /not '?running'?|not in (?:a|the) running state/i;

/** A boot can be quicker than EC2's own knowledge of it: calls about this instance wait until it is `running`. */
export async function oncePastPending<T>(call: () => Promise<T>): Promise<T> {
  const end = performance.now() + patienceMilliseconds;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Error) || !notRunning.test(error.message) || performance.now() > end)
        throw error;
    }
    await sleep(pauseMilliseconds);
  }
}
