import { describe, expect, test } from "vitest";
import { Watchdog } from "../../../../bootstrap/supervisor/lease/watchdog.ts";

const times = { leaseSeconds: 15, leaseRenewalSeconds: 5 };
const own = "own";
const ownLease = (remainingSeconds: number) =>
  ({ known: true, holderEclairInstanceId: own, remainingSeconds }) as const;

test("Eclair continues while the supervisor sees its renewals in time", () => {
  const watchdog = new Watchdog(times);
  expect(watchdog.endCause(1e9)).toBeUndefined();
  watchdog.start(100);
  watchdog.observe(ownLease(15), 101, own);
  expect(watchdog.secondsLeft(105)).toBe(11);
  expect(watchdog.endCause(114.9)).toBeUndefined();
  expect(watchdog.endCause(115)).toBe("lease");
  watchdog.observe(ownLease(15), 110, own);
  expect(watchdog.endCause(115)).toBeUndefined();
});

test("counts the remaining time from before the read", () => {
  const watchdog = new Watchdog(times);
  watchdog.start(100);
  // The answer took four seconds: the database may have read the lease at the start of that time.
  watchdog.observe(ownLease(10), 100, own);
  expect(watchdog.secondsLeft(104)).toBe(6);
});

test("a lease of another Eclair, an expired lease and an unreadable lease extend nothing", () => {
  const watchdog = new Watchdog(times);
  watchdog.start(100);
  watchdog.observe(ownLease(10), 100, own);
  watchdog.observe({ known: true, holderEclairInstanceId: "other", remainingSeconds: 15 }, 105, own);
  watchdog.observe({ known: true, holderEclairInstanceId: own, remainingSeconds: 0 }, 105, own);
  watchdog.observe({ known: false, reason: "no answer" }, 105, own);
  expect(watchdog.endCause(109)).toBe("lease");
  expect(watchdog.sawLeaseHeld).toBe(true);
});

test("an Eclair that was never seen with the lease is treated as if it took the lease when its gate opened", () => {
  const watchdog = new Watchdog(times);
  watchdog.start(100);
  expect(watchdog.sawLeaseHeld).toBe(false);
  expect(watchdog.endCause(113.9)).toBeUndefined();
  expect(watchdog.endCause(114)).toBe("lease");
});

test("the next Eclair starts without the state of the previous one", () => {
  const watchdog = new Watchdog(times);
  watchdog.start(100);
  watchdog.observe(ownLease(10), 100, own);
  watchdog.stop();
  expect(watchdog.endCause(1e9)).toBeUndefined();
  watchdog.start(200);
  expect(watchdog.sawLeaseHeld).toBe(false);
});

describe("an Eclair that misses its renewals", () => {
  const long = { leaseSeconds: 60, leaseRenewalSeconds: 5 };
  /** Reads the lease every 50 ms without a renewal. */
  const readUntil = (watchdog: Watchdog, from: number, to: number) => {
    for (let at = from; at < to; at += 0.05) watchdog.observe(ownLease(60 - (at - 100)), at, own);
  };

  test("hangs when the database answers, and is killed before its long lease expires", () => {
    const watchdog = new Watchdog(long);
    watchdog.start(100);
    readUntil(watchdog, 100, 113.9);
    expect(watchdog.endCause(113.9)).toBeUndefined();
    readUntil(watchdog, 113.9, 114.3);
    expect(watchdog.endCause(114.3)).toBe("renewals");
  });

  test("is not blamed for a database that did not answer", () => {
    const watchdog = new Watchdog(long);
    watchdog.start(100);
    readUntil(watchdog, 100, 105);
    // No answer for twenty seconds; then Eclair has some seconds to renew its lease.
    readUntil(watchdog, 125, 133);
    expect(watchdog.endCause(133)).toBeUndefined();
    watchdog.observe(ownLease(60), 133, own);
    expect(watchdog.endCause(146)).toBeUndefined();
  });
});
