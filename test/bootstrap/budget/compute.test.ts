import { expect, test } from "vitest";
import type { RawRow } from "../../../bootstrap/budget/channel-rows.ts";
import { budgetSettings, computeBudget } from "../../../bootstrap/budget/compute.ts";
import { channelRow, htlc } from "./rows.ts";

const settings = budgetSettings({});

async function* pagesOf(...pages: (readonly RawRow[])[]) {
  for (const page of pages) yield await Promise.resolve(page);
}
const compute = (rows: readonly RawRow[], processed?: number, changed = settings, chain = 100) =>
  computeBudget(pagesOf(rows.slice(0, 1), rows.slice(1)), changed, { chain, processed });

test("the earliest deadline of all channels limits an outage", async () => {
  const { budget, pending } = await compute([
    channelRow({ id: "aa", local: [htlc("OUT", 1, 600, 5_000)] }),
    channelRow({ id: "bb" }),
    channelRow({ id: "cc", local: [htlc("IN", 1, 500, 7_000)] }),
  ]);
  expect(budget).toMatchObject({
    next: { event: "peer-closes", height: 500, channelId: "cc" },
    deadlines: [
      { event: "peer-closes", height: 500 },
      { event: "payee-closes", height: 576 },
      { event: "eclair-closes", height: 600 },
    ],
    ...{ channels: 2, htlcs: 2, htlcMsat: 12_000, unreadable: 0, closesOnFeerateMismatch: true },
  });
  expect(budget.listed.map(({ channelId }) => channelId)).toEqual(["cc", "aa"]);
  expect(pending).toHaveLength(2);
});

test("a deadline that was reached does not hide the next one", async () => {
  const rows = [
    channelRow({ id: "aa", local: [htlc("IN", 1, 90)] }),
    channelRow({ id: "bb", local: [htlc("OUT", 1, 100), htlc("OUT", 2, 95)] }),
    channelRow({ id: "cc", local: [htlc("OUT", 1, 101)] }),
  ];
  const { budget } = await compute(rows);
  expect(budget.next).toEqual({ event: "eclair-closes", height: 101, channelId: "cc" });
  expect(budget.overdue).toEqual({ event: "peer-closes", height: 90, channelId: "aa", channels: 2 });
  expect((await compute(rows, undefined, settings, 89)).budget.overdue).toBeUndefined();
});

test("an estimate that only a peer with the preimage acts on does not limit an outage", async () => {
  const { budget } = await compute([
    channelRow({ id: "aa", local: [htlc("OUT", 1, 510)] }),
    channelRow({ id: "bb", local: [htlc("IN", 1, 500)] }),
  ]);
  expect(budget.next).toEqual({ event: "peer-closes", height: 500, channelId: "bb" });
});

test("no channel with an HTLC or a revoked commitment: no limit", async () => {
  const { budget } = await compute([channelRow()], 100);
  expect(budget.next).toBeUndefined();
  expect(budget.revoked).toBeUndefined();
});

test("a revoked commitment limits an outage from the last processed block on", async () => {
  const rows = [
    channelRow({ id: "aa", remoteIndex: 4, delays: [300] }),
    channelRow({ id: "bb", remoteIndex: 1, delays: [144] }),
    channelRow({ id: "cc", remoteIndex: 0, delays: [10] }),
  ];
  const { budget } = await compute(rows, 1000);
  expect(budget.revoked).toEqual({ channels: 2, window: 144, processedHeight: 1000 });
  expect(budget.next).toEqual({ event: "revoked-unseen", height: 1144 });
  expect(budget.deadlines).toContainEqual({ event: "revoked-unseen", height: 1144 });
});

test("Eclair looks for a commitment in a limited number of blocks", async () => {
  const rows = [channelRow({ remoteIndex: 1, delays: [2016] })];
  expect((await compute(rows, 1000)).budget.next?.height).toBe(1720);
  const shorter = budgetSettings({ "channel.max-channel-spent-rescan-blocks": "500" });
  expect((await compute(rows, 1000, shorter)).budget.next?.height).toBe(1500);
});

test("without a processed block, the limit of revoked commitments is not known", async () => {
  const { budget } = await compute([channelRow({ remoteIndex: 1 })]);
  expect(budget.revoked).toEqual({ channels: 1, window: 720 });
  expect(budget.next).toBeUndefined();
});

test("a channel of an unknown form is counted, and does not hide the others", async () => {
  const { budget } = await compute([
    { ...channelRow({ id: "aa" }), local: null } as unknown as RawRow,
    channelRow({ id: "bb", local: [htlc("OUT", 1, 600)] }),
    // A channel without a first commitment is normal.
    { channel_id: "cc", type: "DATA_WAIT_FOR_DUAL_FUNDING_SIGNED" },
  ]);
  expect(budget).toMatchObject({ unreadable: 1, channels: 1 });
});

test("the node's own settings count", () => {
  expect(settings).toEqual({
    ...{ fulfillSafety: 24, rescanBlocks: 720, closesOnFeerateMismatch: true },
    processedAfterSeconds: 120,
  });
  expect(
    budgetSettings({
      "channel.fulfill-safety-before-timeout-blocks": 10,
      "channel.max-channel-spent-rescan-blocks": 2016,
      "channel.max-restart-watch-delay": "10 minutes",
      "channel.max-block-processing-delay": 5000,
      "on-chain-fees.close-on-offline-feerate-mismatch": "off",
    }),
  ).toEqual({
    ...{ fulfillSafety: 10, rescanBlocks: 2016, closesOnFeerateMismatch: false },
    processedAfterSeconds: 635,
  });
});

test("at most 200 channels are listed, and all are counted", async () => {
  const rows = Array.from({ length: 250 }, (_, index) =>
    channelRow({ id: String(index).padStart(3, "0"), local: [htlc("OUT", 1, 1000 - index)] }),
  );
  const { budget } = await compute(rows);
  expect(budget).toMatchObject({ channels: 250, htlcs: 250, next: { height: 751 } });
  expect(budget.listed).toHaveLength(200);
});
