import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Cluster } from "./node.ts";

/** Eclair renews its lease of 40 s every 5 s. */
const leastRemainingSeconds = 33;

export const epochsOf = async ({ sql }: Pick<Cluster, "sql">): Promise<number> =>
  Number(await sql("select count(*) from eclair_ami.epoch"));

/** Calls `read` up to five times a second while `work` runs. @returns what `work` returns */
export async function whileReading<T>(read: () => Promise<unknown>, work: () => Promise<T>): Promise<T> {
  const done = new AbortController();
  const reading = (async () => {
    while (!done.signal.aborted) {
      await read();
      await sleep(200);
    }
  })();
  try {
    return await work();
  } finally {
    done.abort();
    await reading;
  }
}

/** Expects that the holder renews its lease while `work` runs, and that no Eclair ends. */
export async function expectRenewals(
  { sql }: Pick<Cluster, "sql">,
  work: () => Promise<unknown>,
): Promise<void> {
  const before = await epochsOf({ sql });
  let least = Number.POSITIVE_INFINITY;
  await whileReading(async () => {
    least = Math.min(least, Number(await sql("select extract(epoch from expires_at - now()) from lease")));
  }, work);
  expect(least).toBeGreaterThan(leastRemainingSeconds);
  expect(await epochsOf({ sql })).toBe(before);
}
