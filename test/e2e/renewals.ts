import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Cluster } from "./node.ts";

/** Eclair renews its lease of 30 s every 5 s. */
const leastRemainingSeconds = 23;

export const epochsOf = async ({ sql }: Pick<Cluster, "sql">): Promise<number> =>
  Number(await sql("select count(*) from eclair_ami.epoch"));

/** Calls `read` five times a second while `work` runs. */
export async function whileReading(read: () => Promise<void>, work: () => Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const reading = (async () => {
    while (!done.signal.aborted) {
      await read();
      await sleep(200);
    }
  })();
  try {
    await work();
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
