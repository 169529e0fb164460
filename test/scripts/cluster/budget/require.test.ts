import { describe, expect, test } from "vitest";
import type { BudgetReport, BudgetSummary } from "../../../../bootstrap/contract/budget/budget.ts";
import { plannedOutages, requireBudget } from "../../../../scripts/cluster/budget/require.ts";
import type { NodeStatus } from "../../../../scripts/cluster/status.ts";

const now = new Date("2026-01-01T12:00:00Z");
const summary: BudgetSummary = {
  ...{ computedAt: "2026-01-01T11:59:30.000Z", computedBy: "i-1", durationMs: 1, height: 100, deadlines: [] },
  ...{ channels: 1, htlcs: 1, htlcMsat: 1000, unreadable: 0, stuckBlocks: 0, closesOnFeerateMismatch: true },
};
const closesAt = (height: number): BudgetSummary => ({
  ...summary,
  next: { event: "eclair-closes", height, channelId: "aa" },
});

const status = (budget: BudgetReport | undefined, blocks = 100, active = true) =>
  ({
    report: {
      active,
      bitcoind: { known: true, blocks, headers: blocks },
      ...(budget !== undefined && { budget }),
    },
  }) as NodeStatus;

const check = (...statuses: NodeStatus[]) => requireBudget(statuses, plannedOutages.switchover, now);

test("an outage of one block with a margin of four needs five blocks", () => {
  expect(check(status({ summary: closesAt(105) }))).toBeUndefined();
  expect(() => check(status({ summary: closesAt(104) }))).toThrow(
    expect.objectContaining({
      code: "budget.too-small",
      message: expect.stringMatching(
        /4 blocks \(about 40 min\) until Eclair closes channel aa… by force/,
      ) as string,
    }) as Error,
  );
});

test("a stack change needs ten blocks, and the deletion of a stack a day", () => {
  const at = (height: number, planned: (typeof plannedOutages)[keyof typeof plannedOutages]) => () =>
    requireBudget([status({ summary: closesAt(height) })], planned, now);
  expect(at(110, plannedOutages.stackChange)).not.toThrow();
  expect(at(109, plannedOutages.stackChange)).toThrow(/it has less/);
  expect(at(248, plannedOutages.stackDeletion)).not.toThrow();
  expect(at(247, plannedOutages.stackDeletion)).toThrow(/it has less/);
});

test("blocks that came after the computation count", () => {
  expect(() => check(status({ summary: closesAt(105) }, 101))).toThrow(/it has less/);
  expect(() => check(status({ summary: closesAt(105) }), status(undefined, 102, false))).toThrow(
    /it has less/,
  );
});

test("a node without a deadline may be away", () => {
  expect(check(status({ summary }))).toBeUndefined();
});

describe("a budget that is not known is refused", () => {
  test.each<[string, BudgetReport, RegExp]>([
    ["never computed", { problem: "connect ECONNREFUSED" }, /unknown: connect ECONNREFUSED/],
    [
      "too old",
      { summary: { ...closesAt(900), computedAt: "2026-01-01T11:49:59.000Z" }, problem: "timeout" },
      /computed 10 min ago, because timeout/,
    ],
    ["incomplete", { summary: { ...closesAt(900), unreadable: 2 } }, /2 channels could not be read/],
  ])("%s", (_, budget, message) => {
    expect(() => check(status(budget))).toThrow(
      expect.objectContaining({
        code: "budget.unknown",
        message: expect.stringMatching(message) as string,
      }) as Error,
    );
  });
});

test("the newest budget counts, with the problem of the active instance", () => {
  const older = { summary: { ...closesAt(101), computedAt: "2026-01-01T11:58:00.000Z" } };
  expect(check(status(older, 100, false), status({ summary: closesAt(500) }))).toBeUndefined();
});

test("an active instance with an older image computes no budget, which is a warning", () => {
  expect(check(status(undefined))).toMatch(/the image of the active instance is older/);
  // A new standby waits for the budget of the old active instance.
  expect(check(status(undefined), status({}, 100, false))).toMatch(/is older/);
});

test("a deadline that was reached does not refuse, because waiting does not help", () => {
  const overdue = { event: "peer-closes", height: 20, channelId: "aa", channels: 1 } as const;
  expect(check(status({ summary: { ...closesAt(500), overdue } }))).toBeUndefined();
});

test("a budget of an instance whose clock is ahead is not accepted", () => {
  const ahead = { ...closesAt(500), computedAt: "2026-01-01T12:02:00.000Z" };
  expect(() => check(status({ summary: ahead }))).toThrow(/in the future/);
});

test("without a processed block, the deletion of a stack is refused, and a switchover is not", () => {
  const unprocessed = { ...summary, revoked: { channels: 1, window: 720 } };
  expect(check(status({ summary: unprocessed }))).toBeUndefined();
  expect(() => requireBudget([status({ summary: unprocessed })], plannedOutages.stackDeletion, now)).toThrow(
    /not known until an active Eclair has processed a block/,
  );
});
