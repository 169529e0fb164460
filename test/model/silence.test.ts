import { describe, expect, test } from "vitest";
import { allSteps, explore, stalledForAll, type Rule } from "./silence.ts";

const one = [true];
const two = [true, true];
/** With two claimants, only the statements fail: more would be too many states. */
const stepsOfTwo = allSteps(2).filter(
  ({ holderPaused, holderStatement, claimants }) =>
    !holderPaused &&
    holderStatement !== "executed" &&
    claimants.every(({ paused, reachable, claimArrives }) => !paused && reachable && claimArrives),
);
const timeout = 120_000;

describe("while other instances may claim the lease of a silent holder", () => {
  test("the holder is mute before an instance claims", { timeout }, () => {
    expect(explore(allSteps(1), [], one)).toEqual(new Set(["restart"]));
    expect(explore(stepsOfTwo, [], two)).toEqual(new Set(["restart"]));
  });

  test("an instance that the holder has not acknowledged never claims, and the holder is never mute", () => {
    expect(explore(allSteps(1), [], [false])).toEqual(new Set());
  });

  test("a database that answers no instance causes no restart", () => {
    expect(explore(stalledForAll(1), [], one)).toEqual(new Set());
    expect(explore(stalledForAll(2), [], two)).toEqual(new Set());
  });
});

describe("without a rule", () => {
  test.each<[readonly Rule[]]>([
    [["mute"]],
    [["comparison"]],
    [["promise binds", "gap"]],
    [["promise binds", "promise without an answer"]],
  ])("%j: two instances send", { timeout }, (removed) => {
    expect(explore(allSteps(1), removed, one)).toContain("two senders");
  });

  test.each<[Rule]>([["promise binds"], ["gap"], ["promise without an answer"]])(
    "%s: another rule backs it up",
    { timeout },
    (rule) => {
      expect(explore(allSteps(1), [rule], one)).not.toContain("two senders");
    },
  );

  test("all promise: two instances send when one of two claimants has not promised", { timeout }, () => {
    expect(explore(stepsOfTwo, ["all promise"], two)).toContain("two senders");
  });

  test("acknowledgement: an instance that the holder does not know claims while the holder sends", () => {
    expect(explore(allSteps(1), ["acknowledgement"], [false])).toContain("two senders");
  });

  test("ask: a database that answers no instance causes a restart", () => {
    expect(explore(stalledForAll(1), ["ask"], one)).toContain("restart");
  });
});
