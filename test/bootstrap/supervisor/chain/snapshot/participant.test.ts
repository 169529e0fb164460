import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ChainSnapshotRequest } from "../../../../../bootstrap/contract/requests/chain-snapshot.ts";
import type { ChainHost } from "../../../../../bootstrap/supervisor/chain/snapshot/chain-host.ts";
import {
  ChainSnapshotParticipant,
  type SnapshotState,
} from "../../../../../bootstrap/supervisor/chain/snapshot/participant.ts";
import { chainFacts } from "../../../../support/chain-facts.ts";
import { captureLog } from "../../../../support/log-capture.ts";

let now = 1000;
vi.mock(import("../../../../../bootstrap/os/clock.ts"), () => ({ boottime: () => now }));
captureLog();

const fine: SnapshotState = { isReadyStandby: true, isHolderFine: () => true };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-chain-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function setUp(instanceId = "i-standby") {
  const table: { request: ChainSnapshotRequest } = {
    request: {
      id: randomUUID(),
      instanceId: "i-standby",
      requestedBy: "operator",
      expiresAt: new Date(Date.now() + 600_000).toISOString(),
      step: "requested",
    },
  };
  const requests = {
    read: () => Promise.resolve(table.request),
    advance: (before: ChainSnapshotRequest, after: ChainSnapshotRequest) => {
      if (before.step !== table.request.step) return Promise.resolve(false);
      table.request = after;
      return Promise.resolve(true);
    },
  };
  const host = {
    describe: vi.fn<ChainHost["describe"]>(() => Promise.resolve(chainFacts)),
    stop: vi.fn<ChainHost["stop"]>(() => Promise.resolve()),
    start: vi.fn<ChainHost["start"]>(() => Promise.resolve()),
    reconnect: vi.fn<ChainHost["reconnect"]>(() => Promise.resolve()),
  };
  const marker = join(folder, "marker");
  const create = () => new ChainSnapshotParticipant(requests, instanceId, host, marker);
  const participant = create();
  const poll = async (state: SnapshotState = fine, seconds = 10, which = participant) => {
    now += seconds;
    await which.poll(state);
  };
  return { table, host, marker, participant, create, poll };
}

test("a standby describes its chain and stops bitcoind until the snapshot exists", async () => {
  const { table, host, marker, participant, poll } = setUp();
  await poll();
  expect(table.request).toMatchObject({ step: "stopped", facts: chainFacts });
  expect(host.stop).toHaveBeenCalledTimes(1);
  expect(participant.reason).toMatch(/a snapshot of the chain volume is created/);
  expect(existsSync(marker)).toBe(true);
  await poll();
  expect(host.start).not.toHaveBeenCalled();
  table.request = { ...table.request, step: "created" };
  await poll();
  expect(host.start).toHaveBeenCalledTimes(1);
  expect(table.request.step).toBe("resumed");
  expect(existsSync(marker)).toBe(false);
  expect(participant.reason).toBeUndefined();
});

test("a request for another instance changes nothing", async () => {
  const { host, poll } = setUp("i-other");
  await poll();
  expect(host.describe).not.toHaveBeenCalled();
});

test.each([
  [
    "is not a ready standby",
    { isReadyStandby: false, isHolderFine: () => true },
    "the instance is not a ready standby",
  ],
])("an instance that %s refuses", async (_name, state, reason) => {
  const { table, host, poll } = setUp();
  await poll(state);
  expect(table.request).toMatchObject({ step: "aborted", reason });
  expect(host.stop).not.toHaveBeenCalled();
});

test("bitcoind starts at once when the active instance fails, also while the table does not answer", async () => {
  const { table, host, poll } = setUp();
  await poll();
  await poll({ isReadyStandby: false, isHolderFine: () => false }, 1);
  expect(host.start).toHaveBeenCalledTimes(1);
  expect(table.request).toMatchObject({
    step: "aborted",
    reason: "the active instance, or its bitcoind, failed",
  });
});

test("bitcoind is connected again when the operator's command ends while it is described", async () => {
  const { table, host, participant, poll } = setUp();
  const description = Promise.withResolvers<typeof chainFacts>();
  host.describe.mockReturnValue(description.promise);
  const working = poll();
  await poll();
  expect(host.reconnect).not.toHaveBeenCalled();
  table.request = { ...table.request, step: "aborted" };
  await poll();
  expect(host.reconnect).toHaveBeenCalledTimes(1);
  expect(participant.reason).toBeUndefined();
  // The next command begins while bitcoind still reads its chainstate for the first one.
  table.request = { ...table.request, id: randomUUID(), step: "requested" };
  await poll();
  description.resolve(chainFacts);
  await working;
  expect(host.stop).not.toHaveBeenCalled();
  host.describe.mockResolvedValue(chainFacts);
  await poll();
  expect(host.stop).toHaveBeenCalledTimes(1);
  expect(table.request.step).toBe("stopped");
});

test("bitcoind is not stopped on a host that became active while it was described", async () => {
  const { table, host, poll } = setUp();
  let isHolderFine = true;
  host.describe.mockImplementation(() => {
    isHolderFine = false;
    return Promise.resolve(chainFacts);
  });
  await poll({ isReadyStandby: true, isHolderFine: () => isHolderFine });
  expect(host.stop).not.toHaveBeenCalled();
  expect(host.reconnect).toHaveBeenCalledTimes(1);
  await poll();
  expect(table.request).toMatchObject({
    step: "aborted",
    reason: "the active instance, or its bitcoind, failed",
  });
});

test("the operator's command learns of an abort before the description ends, and the next request is not affected", async () => {
  const { table, host, poll } = setUp();
  const description = Promise.withResolvers<typeof chainFacts>();
  host.describe.mockReturnValueOnce(description.promise);
  const working = poll();
  await vi.waitFor(() => expect(host.describe).toHaveBeenCalledTimes(1));
  await poll({ isReadyStandby: false, isHolderFine: () => false });
  expect(table.request).toMatchObject({
    step: "aborted",
    reason: "the active instance, or its bitcoind, failed",
  });
  table.request = { ...table.request, id: randomUUID(), step: "requested" };
  description.resolve(chainFacts);
  await working;
  expect(host.stop).not.toHaveBeenCalled();
  await poll();
  expect(table.request.step).toBe("stopped");
});

test("bitcoind starts again when no snapshot is created in time, or when the request disappears", async () => {
  const abandoned = setUp();
  await abandoned.poll();
  await abandoned.poll(fine, 301);
  expect(abandoned.host.start).toHaveBeenCalledTimes(1);
  expect(abandoned.table.request).toMatchObject({
    step: "aborted",
    reason: "no snapshot was created within 300 s",
  });
  const replaced = setUp();
  await replaced.poll();
  replaced.table.request = { ...replaced.table.request, instanceId: "i-other" };
  await replaced.poll();
  expect(replaced.host.start).toHaveBeenCalledTimes(1);
});

test("a failure while bitcoind is described or stopped aborts, and bitcoind runs again", async () => {
  const { table, host, poll } = setUp();
  host.stop.mockRejectedValueOnce(new Error("timeout"));
  await poll();
  await poll();
  expect(host.start).toHaveBeenCalledTimes(1);
  expect(table.request).toMatchObject({ step: "aborted", reason: "timeout" });
});

test("an active instance that fails while the chain is described is noticed before bitcoind stops", async () => {
  const { table, host, participant, poll } = setUp();
  let describe: (value: typeof chainFacts) => void = () => undefined;
  host.describe.mockReturnValueOnce(new Promise((resolve) => (describe = resolve)));
  const working = poll();
  await vi.waitFor(() => expect(host.describe).toHaveBeenCalled());
  expect(participant.reason).toBeDefined();
  await poll({ isReadyStandby: true, isHolderFine: () => false }, 1);
  expect(host.reconnect).toHaveBeenCalledTimes(1);
  // This host may take over, although bitcoind still describes its chain.
  expect(participant.reason).toBeUndefined();
  describe(chainFacts);
  await working;
  expect(host.stop).not.toHaveBeenCalled();
  await poll();
  expect(table.request.step).toBe("aborted");
  expect(participant.reason).toBeUndefined();
});

test("the next supervisor connects the bitcoind again that an earlier one described, and refuses the request", async () => {
  const { table, host, marker, create, poll } = setUp();
  host.describe.mockReturnValueOnce(new Promise(() => undefined));
  void poll();
  await vi.waitFor(() => expect(host.describe).toHaveBeenCalled());
  const next = create();
  await poll({ isReadyStandby: false, isHolderFine: () => true }, 1, next);
  expect(host.reconnect).toHaveBeenCalledTimes(1);
  expect(table.request).toMatchObject({ step: "aborted", reason: "the supervisor was started again" });
  expect(next.reason).toBeUndefined();
  expect(existsSync(marker)).toBe(false);
});

test("a bitcoind that cannot be started is not reported as resumed", async () => {
  const { table, host, participant, poll } = setUp();
  await poll();
  host.start.mockRejectedValueOnce(new Error("the unit failed"));
  table.request = { ...table.request, step: "created" };
  await poll();
  expect(table.request.step).toBe("created");
  await poll();
  expect(table.request.step).toBe("resumed");
  expect(participant.isUnderWay).toBe(false);
});

test("a snapshot that was created after the abort is refused", async () => {
  const { table, host, poll } = setUp();
  await poll();
  host.start.mockImplementationOnce(async () => {
    table.request = { ...table.request, step: "created" };
    await Promise.resolve();
  });
  await poll({ isReadyStandby: false, isHolderFine: () => false });
  await poll();
  expect(table.request).toMatchObject({
    step: "aborted",
    reason: "the active instance, or its bitcoind, failed",
  });
});

test("bitcoind is started and connected by one attempt at a time", async () => {
  const { table, host, participant, poll } = setUp();
  await poll();
  let connect: () => void = () => undefined;
  host.reconnect.mockReturnValueOnce(new Promise((resolve) => (connect = () => resolve())));
  table.request = { ...table.request, step: "created" };
  const polls = [poll(), poll(fine, 1), poll({ isReadyStandby: false, isHolderFine: () => false }, 1)];
  await vi.waitFor(() => expect(host.reconnect).toHaveBeenCalledTimes(1));
  connect();
  await Promise.all(polls);
  expect(host.reconnect).toHaveBeenCalledTimes(1);
  expect(participant.isUnderWay).toBe(false);
});

test("bitcoind is connected again as soon as it answers", async () => {
  const { table, host, participant, poll } = setUp();
  await poll();
  host.reconnect.mockRejectedValueOnce(new Error("Loading block index…"));
  table.request = { ...table.request, step: "created" };
  await poll();
  expect(participant.isUnderWay).toBe(true);
  await poll(fine, 1);
  expect(participant.isUnderWay).toBe(false);
  expect(host.reconnect).toHaveBeenCalledTimes(2);
});

test("the next supervisor starts the bitcoind that an earlier one stopped", async () => {
  const { host, create, poll } = setUp();
  await poll();
  const next = create();
  expect(next.reason).toBeDefined();
  await poll({ isReadyStandby: false, isHolderFine: () => false }, 1, next);
  expect(host.start).toHaveBeenCalledTimes(1);
  expect(next.reason).toBeUndefined();
});
