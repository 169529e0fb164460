import { expect, test } from "vitest";
import { Watchdog } from "../../../../bootstrap/supervisor/lease/watchdog.ts";

const own = "own";
const ownLease = (remainingSeconds: number) =>
  ({ known: true, holderEclairInstanceId: own, remainingSeconds }) as const;

test("Eclair continues while the supervisor sees its renewals in time", () => {
  const watchdog = new Watchdog(15);
  expect(watchdog.isExpired(1e9)).toBe(false);
  watchdog.start(100);
  watchdog.observe(ownLease(15), 101, own);
  expect(watchdog.secondsLeft(105)).toBe(11);
  expect(watchdog.isExpired(114.9)).toBe(false);
  expect(watchdog.isExpired(115)).toBe(true);
  watchdog.observe(ownLease(15), 110, own);
  expect(watchdog.isExpired(115)).toBe(false);
});

test("counts the remaining time from before the read", () => {
  const watchdog = new Watchdog(15);
  watchdog.start(100);
  // The answer took four seconds: the database may have read the lease at the start of that time.
  watchdog.observe(ownLease(10), 100, own);
  expect(watchdog.secondsLeft(104)).toBe(6);
});

test("a lease of another Eclair, an expired lease and an unreadable lease extend nothing", () => {
  const watchdog = new Watchdog(15);
  watchdog.start(100);
  watchdog.observe(ownLease(10), 100, own);
  watchdog.observe({ known: true, holderEclairInstanceId: "other", remainingSeconds: 15 }, 105, own);
  watchdog.observe({ known: true, holderEclairInstanceId: own, remainingSeconds: 0 }, 105, own);
  watchdog.observe({ known: false, reason: "no answer" }, 105, own);
  expect(watchdog.isExpired(109)).toBe(true);
  expect(watchdog.sawLeaseHeld).toBe(true);
});

test("an Eclair that was never seen with the lease is treated as if it took the lease when its gate opened", () => {
  const watchdog = new Watchdog(15);
  watchdog.start(100);
  expect(watchdog.sawLeaseHeld).toBe(false);
  expect(watchdog.isExpired(113.9)).toBe(false);
  expect(watchdog.isExpired(114)).toBe(true);
});

test("the next Eclair starts without the state of the previous one", () => {
  const watchdog = new Watchdog(15);
  watchdog.start(100);
  watchdog.observe(ownLease(10), 100, own);
  watchdog.stop();
  expect(watchdog.isExpired(1e9)).toBe(false);
  watchdog.start(200);
  expect(watchdog.sawLeaseHeld).toBe(false);
});
