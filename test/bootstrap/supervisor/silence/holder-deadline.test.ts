import { beforeEach, expect, test } from "vitest";
import { HolderDeadline } from "../../../../bootstrap/supervisor/silence/holder-deadline.ts";
import { timingOf } from "../../../../bootstrap/supervisor/silence/timing.ts";

let holder: HolderDeadline;
beforeEach(() => {
  holder = new HolderDeadline(timingOf(3));
});

test("without claimants there is no deadline: no other host may claim the lease", () => {
  holder.noteAnswer(100);
  holder.noteTime(1e9);
  expect(holder.deadline).toBeUndefined();
  expect(holder.claimantsToAsk(1e9)).toBeUndefined();
});

test("the deadline runs from the sending of the last answered statement", () => {
  holder.noteAcknowledged(["b"]);
  holder.noteAnswer(100);
  holder.noteAnswer(100.05);
  holder.noteTime(102.5);
  expect(holder.deadline).toBe(102.55);
  holder.noteAnswer(102);
  expect(holder.deadline).toBe(104.5);
});

test("the claimants are asked after half the time, and again each second while they promise", () => {
  holder.noteAcknowledged(["b", "c"]);
  holder.noteAnswer(100);
  expect(holder.claimantsToAsk(101.4)).toBeUndefined();
  expect(holder.claimantsToAsk(101.5)).toEqual(["b", "c"]);
  holder.notePromises(101.5);
  holder.noteTime(102.45);
  expect(holder.claimantsToAsk(102.45)).toBeUndefined();
  holder.noteTime(102.5);
  expect(holder.claimantsToAsk(102.5)).toEqual(["b", "c"]);
});

test("the claimants are asked again at once after a missing promise, until the deadline", () => {
  holder.noteAcknowledged(["b", "c"]);
  holder.noteAnswer(100);
  expect(holder.claimantsToAsk(101.5)).toEqual(["b", "c"]);
  expect(holder.claimantsToAsk(101.8)).toBeUndefined();
  holder.noteMissingPromise();
  expect(holder.claimantsToAsk(101.8)).toEqual(["b", "c"]);
  holder.noteMissingPromise();
  holder.noteTime(102.5);
  expect(holder.claimantsToAsk(102.5)).toBeUndefined();
});

test("promises extend the deadline from the time of the question", () => {
  holder.noteAcknowledged(["b"]);
  holder.noteAnswer(100);
  holder.notePromises(101.5);
  expect(holder.deadline).toBeCloseTo(103.4);
  holder.notePromises(102.5);
  expect(holder.deadline).toBeCloseTo(104.4);
});

test("nothing makes a mute holder speak again, until another Eclair is connected", () => {
  holder.noteAcknowledged(["b"]);
  holder.noteAnswer(100);
  holder.noteTime(102.5);
  holder.notePromises(102.4);
  holder.noteAnswer(102.6);
  expect(holder.deadline).toBe(102.5);
  holder.reset();
  holder.noteAcknowledged(["b"]);
  holder.noteAnswer(103);
  expect(holder.deadline).toBe(105.5);
});

test("a host counts as a claimant before it is acknowledged, and until its revocation is confirmed", () => {
  holder.noteAnswer(100);
  holder.noteAcknowledging(["b"]);
  expect(holder.deadline).toBe(102.5);
  holder.noteAcknowledged(["b"]);
  holder.noteAcknowledging(["c"]);
  expect(holder.claimantsToAsk(101.5)).toEqual(["b", "c"]);
  holder.noteAcknowledged(["c"]);
  expect(holder.claimantsToAsk(102.6)).toEqual(["c"]);
});
