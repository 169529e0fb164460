import { beforeEach, expect, test, vi } from "vitest";
import { Backoff } from "../../../../bootstrap/supervisor/standby/backoff.ts";

let now = 1000;
vi.mock(import("../../../../bootstrap/os/clock.ts"), () => ({ boottime: () => now }));
const held = { known: true, holderEclairInstanceId: "other", remainingSeconds: 12 } as const;
const free = { known: true, remainingSeconds: 0 } as const;

let backoff: Backoff;
beforeEach(() => {
  backoff = new Backoff();
});

test("an Eclair that ends repeatedly waits longer each time, up to one minute", () => {
  expect(Array.from({ length: 8 }, () => backoff.noteEnded(2))).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
});

test("an Eclair that served for more than ten seconds resets the backoff", () => {
  backoff.noteEnded(2);
  backoff.noteEnded(2);
  expect(backoff.noteEnded(11)).toBe(1);
  expect(backoff.remainingSeconds).toBe(1);
  now += 1;
  expect(backoff.remainingSeconds).toBe(0);
});

test("after Eclair ended, the other host takes over first, unless the lease remains free", () => {
  backoff.noteEnded(100);
  expect(backoff.mayArm(held)).toBe(false);
  // The backoff has ended, and no other host took the lease.
  now += 1;
  expect(backoff.mayArm(held)).toBe(false);
  expect(backoff.mayArm(free)).toBe(true);
  now += 2;
  expect(backoff.mayArm(held)).toBe(true);
});

test("arms the next Eclair at the earliest five seconds after the previous one", () => {
  backoff.noteArmed();
  now += 4;
  expect(backoff.mayArm(free)).toBe(false);
  now += 1;
  expect(backoff.mayArm(free)).toBe(true);
});
