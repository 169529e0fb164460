import { beforeEach, expect, test, vi } from "vitest";
import { Pauses } from "../../bootstrap/supervise/pauses.ts";

let now = 1000;
vi.mock(import("../../bootstrap/supervise/clock.ts"), () => ({ boottime: () => now }));
const held = { seen: true, holder: "another", remaining: 12 } as const;
const free = { seen: true, remaining: 0 } as const;

let pauses: Pauses;
beforeEach(() => {
  pauses = new Pauses();
});

test("an Eclair that flaps waits longer each time, a minute at most", () => {
  expect(Array.from({ length: 8 }, () => pauses.ended(2))).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
});

test("one that has served for a while begins anew", () => {
  pauses.ended(2);
  pauses.ended(2);
  expect(pauses.ended(11)).toBe(1);
  expect(pauses.backOff).toBe(1);
  now += 1;
  expect(pauses.backOff).toBe(0);
});

test("after an end the other host goes first, unless it does not", () => {
  pauses.ended(100);
  expect(pauses.mayArm(held)).toBe(false);
  // The lease may be taken here again, and nobody has.
  now += 1;
  expect(pauses.mayArm(held)).toBe(false);
  expect(pauses.mayArm(free)).toBe(true);
  now += 2;
  expect(pauses.mayArm(held)).toBe(true);
});

test("a start is given its time before the next", () => {
  pauses.armed();
  now += 4;
  expect(pauses.mayArm(free)).toBe(false);
  now += 1;
  expect(pauses.mayArm(free)).toBe(true);
});
