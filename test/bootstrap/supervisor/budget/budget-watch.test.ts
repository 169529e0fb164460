import { beforeEach, expect, test, vi } from "vitest";
import type { ComputedBudget } from "../../../../bootstrap/budget/compute.ts";
import type { Budget } from "../../../../bootstrap/contract/budget/budget.ts";
import type { BitcoindReport } from "../../../../bootstrap/contract/reports/bitcoind.ts";
import type { BudgetItem } from "../../../../bootstrap/contract/record/budget-item.ts";
import type { BudgetSource } from "../../../../bootstrap/supervisor/budget/budget-source.ts";
import { BudgetWatch, type BudgetInputs } from "../../../../bootstrap/supervisor/budget/budget-watch.ts";

const clock = vi.hoisted(() => ({ now: 0 }));
vi.mock("../../../../bootstrap/os/clock.ts", () => ({ boottime: () => clock.now }));

const empty = {
  ...{ deadlines: [], channels: 0, htlcs: 0, htlcMsat: 0, unreadable: 0, listed: [] },
  closesOnFeerateMismatch: true,
};
const computed = (pending: ComputedBudget["pending"] = []): ComputedBudget => ({ budget: empty, pending });
const bitcoindAt = (blocks: number): BitcoindReport => ({
  ...{ known: true, chain: "regtest", blocks, headers: blocks, synced: true },
  wallet: { ready: true },
});
const eclair = (blockHeight: number) => ({ eclairInstanceId: "one", blockHeight });

function watch() {
  const compute = vi.fn<BudgetSource["compute"]>(() => Promise.resolve(computed()));
  const stored: { budget: Budget | undefined } = { budget: undefined };
  const item = {
    read: vi.fn<BudgetItem["read"]>(() => Promise.resolve(stored.budget)),
    put: vi.fn<BudgetItem["put"]>((budget) => {
      stored.budget = budget;
      return Promise.resolve();
    }),
  };
  const subject = new BudgetWatch({ compute }, item, "i-1", 90);
  const poll = async (inputs: Partial<BudgetInputs> = {}) => {
    const usual = { isStopping: false, bitcoind: bitcoindAt(100), active: eclair(100), isOtherActive: false };
    subject.poll({ ...usual, ...inputs });
    await subject.settle();
    return subject.report;
  };
  return { compute, item, poll, stored };
}

beforeEach(() => {
  clock.now = 1000;
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});

/** A computation that takes this many seconds. */
const computedIn = (seconds: number) => {
  clock.now += seconds;
  return Promise.resolve(computed());
};

test("the active host computes with every block, and between blocks every minute", async () => {
  const { compute, poll, stored } = watch();
  await poll();
  await poll();
  expect(compute).toHaveBeenCalledTimes(1);
  expect(stored.budget).toMatchObject({ height: 100, computedBy: "i-1" });
  await poll({ bitcoind: bitcoindAt(101) });
  expect(compute).toHaveBeenCalledTimes(2);
  clock.now += 60;
  await poll({ bitcoind: bitcoindAt(101) });
  expect(compute).toHaveBeenCalledTimes(3);
});

test("a computation that takes long is repeated less often", async () => {
  const { compute, poll } = watch();
  compute.mockImplementation(() => computedIn(10));
  await poll({ active: undefined });
  clock.now += 299;
  await poll({ active: undefined });
  expect(compute).toHaveBeenCalledTimes(1);
  clock.now += 1;
  await poll({ active: undefined });
  expect(compute).toHaveBeenCalledTimes(2);
});

test("a computation that takes very long is repeated within the time in which a command accepts it", async () => {
  const { compute, poll } = watch();
  compute.mockImplementation(() => computedIn(60));
  await poll({ active: undefined });
  clock.now += 300;
  await poll({ active: undefined });
  expect(compute).toHaveBeenCalledTimes(2);
});

test("a bitcoind that catches up knows the height of the chain by its headers", async () => {
  const { compute, poll } = watch();
  await poll({ bitcoind: { ...bitcoindAt(100), headers: 160 } as BitcoindReport });
  expect(compute).toHaveBeenLastCalledWith(160, undefined);
});

test("a standby reads the budget that the active host has stored, and computes when no instance is active", async () => {
  const { compute, poll, stored } = watch();
  stored.budget = {
    ...empty,
    computedAt: "2026-01-01T00:00:00.000Z",
    computedBy: "i-2",
    durationMs: 1,
    height: 90,
    stuckBlocks: 0,
  };
  const report = await poll({ active: undefined, isOtherActive: true });
  expect(report.summary).toMatchObject({ computedBy: "i-2", durationMs: 1, height: 90 });
  expect(report.summary).not.toHaveProperty("listed");
  expect(compute).not.toHaveBeenCalled();
  await poll({ active: undefined });
  expect(compute).toHaveBeenCalledExactlyOnceWith(100, undefined);
});

test("what Eclair has processed is recorded after the time that Eclair needs for it", async () => {
  const { compute, poll } = watch();
  await poll();
  expect(compute).toHaveBeenLastCalledWith(100, undefined);
  clock.now += 90;
  await poll();
  expect(compute).toHaveBeenLastCalledWith(100, { eclairInstanceId: "one", height: 100 });
});

test("while the database does not answer, the last budget remains, with the problem", async () => {
  const { compute, poll } = watch();
  await poll();
  compute.mockRejectedValue(new Error("connect ECONNREFUSED"));
  const report = await poll({ bitcoind: bitcoindAt(101) });
  expect(report).toMatchObject({ summary: { height: 100 }, problem: "connect ECONNREFUSED" });
  clock.now += 10;
  compute.mockResolvedValue(computed());
  const repaired = await poll({ bitcoind: bitcoindAt(101) });
  expect(repaired.problem).toBeUndefined();
  expect(repaired.summary).toMatchObject({ height: 101 });
});

test("a host that never computed one has the stored budget while the database does not answer", async () => {
  const { compute, poll, stored } = watch();
  stored.budget = {
    ...empty,
    computedAt: "2026-01-01T00:00:00.000Z",
    computedBy: "i-2",
    durationMs: 1,
    height: 90,
    stuckBlocks: 0,
  };
  compute.mockRejectedValue(new Error("timeout"));
  expect(await poll({ active: undefined })).toMatchObject({ summary: { height: 90 }, problem: "timeout" });
});

test("the first Eclair of a node creates its tables after the first attempt", async () => {
  const { compute, poll } = watch();
  compute.mockResolvedValueOnce(undefined);
  expect(await poll({ active: undefined })).toEqual({ problem: "no Eclair has used the database yet" });
  expect((await poll()).summary).toMatchObject({ height: 100 });
});

test("without a height, nothing is computed", async () => {
  const { compute, poll } = watch();
  const report = await poll({ bitcoind: { known: false, reason: "it starts" } });
  expect(report.problem).toMatch(/bitcoind does not answer/);
  expect(compute).not.toHaveBeenCalled();
});

test("a table that cannot be written does not hide the budget", async () => {
  const { item, poll } = watch();
  item.put.mockRejectedValue(new Error("denied"));
  expect(await poll()).toMatchObject({ summary: { height: 100 }, problem: "denied" });
});

test("an HTLC that stays pending for many blocks is reported when less than a day is left", async () => {
  const { compute, poll } = watch();
  const late = { name: "aa OUT 1", height: 300 };
  const early = { name: "aa OUT 2", height: 2000 };
  const stuckAt = async (height: number, pending: ComputedBudget["pending"]) => {
    compute.mockResolvedValue(computed(pending));
    return (await poll({ bitcoind: bitcoindAt(height) })).summary?.stuckBlocks;
  };
  expect(await stuckAt(100, [late, early])).toBe(0);
  // A day is left from block 157 on.
  expect(await stuckAt(157, [late, early])).toBe(0);
  expect(await stuckAt(160, [late, early])).toBe(3);
  expect(await stuckAt(170, [late, early])).toBe(13);
  expect(await stuckAt(171, [early])).toBe(0);
  expect(await stuckAt(172, [late, early])).toBe(0);
});

test("a host that stops begins no computation", async () => {
  const { compute, item, poll } = watch();
  await poll({ isStopping: true });
  expect(compute).not.toHaveBeenCalled();
  expect(item.read).not.toHaveBeenCalled();
});
