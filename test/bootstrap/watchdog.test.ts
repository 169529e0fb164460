import { expect, test } from "vitest";
import { Watchdog } from "../../bootstrap/supervise/watchdog.ts";

const me = "me";
const mine = (remaining: number) => ({ seen: true, holder: me, remaining }) as const;

test("an Eclair goes on while its renewals are seen in time", () => {
  const watchdog = new Watchdog(15);
  expect(watchdog.isOver(1e9)).toBe(false);
  watchdog.begin(100);
  watchdog.see(mine(15), 101, me);
  expect(watchdog.left(105)).toBe(11);
  expect(watchdog.isOver(114.9)).toBe(false);
  expect(watchdog.isOver(115)).toBe(true);
  watchdog.see(mine(15), 110, me);
  expect(watchdog.isOver(115)).toBe(false);
});

test("what is left counts from before the database was asked", () => {
  const watchdog = new Watchdog(15);
  watchdog.begin(100);
  // The answer took four seconds: the lease may have been read at once.
  watchdog.see(mine(10), 100, me);
  expect(watchdog.left(104)).toBe(6);
});

test("another's lease, a lease that has run out or that can't be read prolongs nothing", () => {
  const watchdog = new Watchdog(15);
  watchdog.begin(100);
  watchdog.see(mine(10), 100, me);
  watchdog.see({ seen: true, holder: "other", remaining: 15 }, 105, me);
  watchdog.see({ seen: true, holder: me, remaining: 0 }, 105, me);
  watchdog.see({ seen: false, why: "gone" }, 105, me);
  expect(watchdog.isOver(109)).toBe(true);
  expect(watchdog.held).toBe(true);
});

test("one that was never seen to hold the lease may have taken it when its gate opened", () => {
  const watchdog = new Watchdog(15);
  watchdog.begin(100);
  expect(watchdog.held).toBe(false);
  expect(watchdog.isOver(113.9)).toBe(false);
  expect(watchdog.isOver(114)).toBe(true);
});

test("the next Eclair starts afresh", () => {
  const watchdog = new Watchdog(15);
  watchdog.begin(100);
  watchdog.see(mine(10), 100, me);
  watchdog.end();
  expect(watchdog.isOver(1e9)).toBe(false);
  watchdog.begin(200);
  expect(watchdog.held).toBe(false);
});
