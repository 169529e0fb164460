import { describe, expect, test } from "vitest";
import { channelDeadlines } from "../../../bootstrap/budget/channel-deadlines.ts";
import type { ChannelRow } from "../../../bootstrap/budget/channel-rows.ts";
import { channelRow, htlc } from "./rows.ts";

const fulfillSafety = 30;
const resultOf = (row: ChannelRow) => channelDeadlines(row, fulfillSafety);
/** The deadlines of a channel, such as `eclair-closes 500`. */
const deadlinesIn = (row: ChannelRow) =>
  (resultOf(row).channel?.deadlines ?? []).map(({ event, height }) => `${event} ${height}`);

describe("an outgoing HTLC", () => {
  const expected = ["payee-closes 476", "eclair-closes 500"];

  test.each([
    ["in this node's commitment", channelRow({ local: [htlc("OUT", 1, 500)] })],
    ["in the peer's commitment", channelRow({ remote: [htlc("IN", 1, 500)] })],
    ["in the peer's next commitment", channelRow({ next: [htlc("IN", 1, 500)] })],
    [
      "in a channel that is being shut down",
      channelRow({ type: "DATA_SHUTDOWN", local: [htlc("OUT", 1, 500)] }),
    ],
  ])("%s makes Eclair close at its expiry", (_, row) => {
    expect(deadlinesIn(row)).toEqual(expected);
  });

  test("counts once, with the expiry that all commitments agree on", () => {
    const row = channelRow({
      local: [htlc("OUT", 1, 500)],
      remote: [htlc("IN", 1, 500)],
      next: [htlc("IN", 1, 500), htlc("IN", 2, 510, 7)],
    });
    expect(resultOf(row).channel).toMatchObject({ htlcs: 2, htlcMsat: 1007 });
  });

  test("is another HTLC than the incoming one with the same id", () => {
    const row = channelRow({ local: [htlc("OUT", 1, 500), htlc("IN", 1, 480)] });
    expect(resultOf(row).channel?.htlcs).toBe(2);
    expect(deadlinesIn(row)).toEqual(["payee-closes 476", "peer-closes 480", "eclair-closes 500"]);
  });

  test("is not changed by a fulfillment of the incoming HTLC with the same id", () => {
    const row = channelRow({
      local: [htlc("OUT", 1, 500)],
      fulfilled: [1],
      failed: [1],
      fulfilledByPeer: [2],
    });
    expect(deadlinesIn(row)).toEqual(expected);
  });

  test("whose preimage the peer has sent makes the peer close before its expiry", () => {
    const row = channelRow({ remote: [htlc("IN", 1, 500)], fulfilledByPeer: [1] });
    expect(deadlinesIn(row)).toEqual(["informed-peer-closes 476", "eclair-closes 500"]);
    expect(resultOf(row).pending).toEqual([{ name: "aa OUT 1", height: 476 }]);
  });
});

describe("an incoming HTLC", () => {
  test("without a known preimage is closed by the peer at its expiry", () => {
    const row = channelRow({
      local: [htlc("IN", 1, 500)],
      fulfilled: [2],
      failed: [3],
      fulfilledByPeer: [1],
    });
    expect(deadlinesIn(row)).toEqual(["peer-closes 500"]);
  });

  test("that Eclair fulfills makes Eclair close before its expiry", () => {
    expect(deadlinesIn(channelRow({ local: [htlc("IN", 1, 500)], fulfilled: [1] }))).toEqual([
      "eclair-closes 470",
      "peer-takes 500",
    ]);
  });

  test("that only the peer's commitment contains is closed by the peer, although its preimage is known", () => {
    expect(deadlinesIn(channelRow({ remote: [htlc("OUT", 1, 500)], fulfilled: [1] }))).toEqual([
      "peer-closes 500",
    ]);
  });

  test("that Eclair fails limits no outage: its peer may never come back", () => {
    const row = channelRow({ local: [htlc("IN", 1, 500)], failed: [1] });
    expect(deadlinesIn(row)).toEqual(["failed-htlc-expires 500"]);
    expect(resultOf(row).pending).toEqual([]);
  });
});

test("each event has its earliest height, in the order of the heights", () => {
  const row = channelRow({ local: [htlc("OUT", 1, 600), htlc("OUT", 2, 550), htlc("IN", 3, 560)] });
  expect(deadlinesIn(row)).toEqual(["payee-closes 526", "eclair-closes 550", "peer-closes 560"]);
  expect(resultOf(row).pending).toEqual([
    { name: "aa OUT 1", height: 600 },
    { name: "aa OUT 2", height: 550 },
    { name: "aa IN 3", height: 560 },
  ]);
});

test("a channel without HTLCs has no deadline", () => {
  expect(resultOf(channelRow())).toEqual({ pending: [] });
});

test.each(["DATA_NEGOTIATING", "DATA_NEGOTIATING_SIMPLE", "DATA_WAIT_FOR_CHANNEL_READY"])(
  "Eclair does not act on an HTLC in the state %s",
  (type) => {
    expect(deadlinesIn(channelRow({ type, local: [htlc("OUT", 1, 500)] }))).toEqual([]);
  },
);

describe("a revoked commitment", () => {
  test("can be published by a peer that has signed a second commitment", () => {
    expect(resultOf(channelRow({ remoteIndex: 1, delays: [720, 144, 300] })).revocationDelay).toBe(144);
  });

  test("does not exist in a new channel", () => {
    expect(resultOf(channelRow({ remoteIndex: 0 })).revocationDelay).toBeUndefined();
  });
});

describe("a channel that is closing on chain", () => {
  const closing = (published: object) => ({ type: "DATA_CLOSING", closing: published });
  const commit = (outputs: object, txid = "tx") => ({
    ...{ commitTx: { txid }, incomingHtlcs: {}, outgoingHtlcs: {}, irrevocablySpent: {} },
    ...outputs,
  });
  const spent = (...outpoints: string[]) =>
    Object.fromEntries(outpoints.map((outpoint) => [outpoint, { txid: "another" }]));
  const htlcs = [htlc("IN", 1, 500), htlc("OUT", 2, 520), htlc("OUT", 3, 400)];

  test.each([
    "localCommitPublished",
    "remoteCommitPublished",
    "nextRemoteCommitPublished",
    "futureRemoteCommitPublished",
  ] as const)("has the expiries of the unresolved HTLCs of %s", (name) => {
    const published = commit({
      incomingHtlcs: { "tx:0": 1 },
      outgoingHtlcs: { "tx:1": 2, "tx:2": 3 },
      irrevocablySpent: spent("tx:2"),
    });
    const row = channelRow({ ...closing({ [name]: published }), local: htlcs, fulfilled: [1] });
    expect(deadlinesIn(row)).toEqual(["htlc-expires 500", "htlc-returns 520"]);
    expect(resultOf(row).channel).toMatchObject({ state: "CLOSING", htlcs: 2, htlcMsat: 2000 });
    // Nothing is lost when Eclair takes back an HTLC late.
    expect(resultOf(row).pending).toEqual([{ name: "aa IN 1", height: 500 }]);
  });

  test("never closes by itself, and a resolved HTLC has no deadline", () => {
    const published = commit({ outgoingHtlcs: { "tx:0": 2 }, irrevocablySpent: spent("tx:0") });
    expect(
      deadlinesIn(channelRow({ ...closing({ localCommitPublished: published }), local: htlcs })),
    ).toEqual([]);
  });

  test("only the commitment that was confirmed counts", () => {
    const ours = commit({ incomingHtlcs: { "ours:0": 1 } }, "ours");
    const theirs = commit(
      {
        incomingHtlcs: { "theirs:0": 1 },
        irrevocablySpent: { ...spent("theirs:0"), "funding:0": { txid: "theirs" } },
      },
      "theirs",
    );
    const both = { localCommitPublished: ours, remoteCommitPublished: theirs };
    expect(deadlinesIn(channelRow({ ...closing(both), local: htlcs }))).toEqual([]);
    const unconfirmed = {
      ...both,
      remoteCommitPublished: { ...theirs, irrevocablySpent: spent("theirs:0") },
    };
    expect(deadlinesIn(channelRow({ ...closing(unconfirmed), local: htlcs }))).toEqual(["htlc-expires 500"]);
  });

  const revoked = { commitTx: { txid: "tx" }, htlcOutputs: [], htlcDelayedOutputs: [], irrevocablySpent: {} };

  test("a revoked commitment that another one replaced has no window", () => {
    const theirs = commit({ irrevocablySpent: { "funding:0": { txid: "theirs" } } }, "theirs");
    const published = {
      remoteCommitPublished: theirs,
      revokedCommitPublished: [{ ...revoked, htlcOutputs: ["tx:1"] }],
    };
    expect(deadlinesIn(channelRow(closing(published)))).toEqual([]);
  });

  test.each([{ remoteOutput_opt: "tx:0" }, { htlcOutputs: ["tx:1"] }, { htlcDelayedOutputs: ["tx:2"] }])(
    "has the penalty window of a revoked commitment with %j",
    (outputs) => {
      const row = channelRow({
        ...closing({ revokedCommitPublished: [{ ...revoked, ...outputs }], waitingSince: 300 }),
        delays: [144],
      });
      expect(deadlinesIn(row)).toEqual(["penalty-ends 444"]);
    },
  );

  test("has no window when the outputs of the revoked commitment are spent", () => {
    const done = {
      ...{ ...revoked, remoteOutput_opt: "tx:0", htlcOutputs: ["tx:1"], htlcDelayedOutputs: ["tx:2"] },
      irrevocablySpent: spent("tx:0", "tx:1", "tx:2"),
    };
    expect(deadlinesIn(channelRow(closing({ revokedCommitPublished: [done] })))).toEqual([]);
  });
});
