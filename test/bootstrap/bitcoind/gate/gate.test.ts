import { expect, test } from "vitest";
import { localName } from "../../../../bootstrap/bitcoind/endpoints.ts";
import { boottime } from "../../../../bootstrap/os/clock.ts";
import { hashOf, type FakeBitcoind } from "../../../support/fake-bitcoind.ts";
import { GateOfTwoBitcoinds } from "../../../support/gate-of-two-bitcoinds.ts";

const two = new GateOfTwoBitcoinds();

test("the preferred bitcoind answers, and a read moves to the next one when the preferred one ends", async () => {
  two.follow();
  await two.untilChosen("a");
  expect(await two.call("getblockcount")).toBe(true);
  await two.a.stop();
  expect(await two.call("getblockcount")).toBe(true);
  expect(two.chosen()).toBe("b");
  expect(two.b.count("getblockcount")).toBe(1);
  expect(two.events().filter(({ event }) => event === "bitcoind.chosen")).toEqual([
    expect.objectContaining({ bitcoind: "a", reason: "the first choice" }),
    expect.objectContaining({ bitcoind: "b", previous: "a" }),
  ]);
});

test("requests that a held bitcoind has not answered move to the next one", async () => {
  two.follow();
  await two.untilChosen("a");
  two.a.fault = "silent";
  const started = performance.now();
  expect(await two.call("getblockcount")).toBe(true);
  expect(two.b.count("getblockcount")).toBe(1);
  expect(performance.now() - started).toBeLessThan(5_000);
});

test("a bitcoind that returns on another chain is not used any more, and no block of that chain is announced", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  await expect.poll(() => two.gate.status?.bitcoind).toMatchObject({ settledBlock: { height: 90 } });
  await Promise.all([two.a.stop(), two.b.stop()]);
  await expect.poll(() => two.problem(0)).toMatch(/does not answer/);
  two.a.blocks = { chain: "y", height: 300 };
  two.a.isSyncing = true;
  await two.a.start();
  // Before and after the gate has examined it.
  const answers: unknown[] = [];
  await expect
    .poll(async () => {
      answers.push(await two.call("getblockcount"));
      return two.problem(0);
    })
    .toMatch(/is on another chain: its block 90/);
  answers.push(await two.call("getblockcount"));
  for (const answer of answers)
    expect(answer).toMatch(/^bitcoind \(a\) (does not answer|is on another chain)/);
  expect(two.published).not.toContain(hashOf("y", 300));
  expect(two.gate.status?.isUsable).toBe(false);
  await two.b.start();
  await two.untilChosen("b");
  expect(await two.call("getblockcount")).toBe(true);
});

test("the status contains the last answer of the local bitcoind, also while another one is chosen", async () => {
  two.gate.update({
    ...{ chain: "regtest", eclairVersion: "0.14.1", wallet: "eclair" },
    ...{ login: { username: "eclair", password: "x" } },
    ...{ bitcoinds: [two.a.endpoint("a"), two.b.endpoint(localName)], nextAddresses: [], last: {} },
  });
  await two.untilChosen("a");
  const began = boottime();
  await expect.poll(() => two.gate.status?.localAnsweredAt).toBeGreaterThan(began);
  await two.b.stop();
  await expect.poll(() => two.problem(1)).toMatch(/does not answer/);
  const last = two.gate.status?.localAnsweredAt;
  const stopped = boottime();
  await expect.poll(() => two.gate.status?.answeredAt).toBeGreaterThan(stopped);
  expect(two.gate.status?.localAnsweredAt).toBe(last);
});

test("each block of the chosen bitcoind is announced, and the best block after a change", async () => {
  two.follow();
  await two.untilChosen("a");
  await expect.poll(() => two.published.at(-1)).toBe(hashOf("x", 100));
  two.a.blocks.height = 101;
  // Without an announcement of its own.
  await expect.poll(() => two.published.at(-1)).toBe(hashOf("x", 101));
  two.b.blocks.height = 102;
  await two.a.stop();
  await two.untilChosen("b");
  await expect.poll(() => two.published.at(-1)).toBe(hashOf("x", 102));
});

test("the preferred bitcoind defines the chain at first, also when a chain with more work is in the list", async () => {
  two.b.blocks = { chain: "y", height: 300 };
  two.follow();
  await two.untilChosen("a");
  await expect.poll(() => two.problem(1)).toMatch(/is on another chain/);
  expect(two.chosen()).toBe("a");
});

test("the chain of the other instances defines the chain, also for the preferred bitcoind", async () => {
  two.a.blocks = { chain: "y", height: 300 };
  two.follow(undefined, { height: 80, hash: hashOf("x", 80) });
  await two.untilChosen("b");
  expect(two.problem(0)).toMatch(/is on another chain: its block (80|90) is/);
  expect(two.gate.status?.bitcoind).toMatchObject({ settledBlock: { height: 90, hash: hashOf("x", 90) } });
});

test("a gate that starts again stays on the chain of the gate before it", async () => {
  two.a.blocks = { chain: "y", height: 300 };
  two.follow("eclair-1", undefined, { settledBlock: { height: 80, hash: hashOf("x", 80) } });
  await two.untilChosen("b");
  expect(two.problem(0)).toMatch(/is on another chain: its block (80|90) is/);
});

test("a bitcoind that returns with too few blocks gets no call of Eclair, and none of its blocks is announced", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  await expect.poll(() => two.gate.status?.bitcoind).toMatchObject({ settledBlock: { height: 90 } });
  await Promise.all([two.a.stop(), two.b.stop()]);
  await expect.poll(() => two.problem(0)).toMatch(/does not answer/);
  two.a.blocks.height = 12;
  two.a.isSyncing = true;
  await two.a.start();
  await expect.poll(() => two.problem(0)).toMatch(/is syncing/);
  expect(await two.call("getblockcount")).toMatch(/^bitcoind \(a\) is syncing/);
  expect(two.published).not.toContain(hashOf("x", 12));
});

test("the transactions of blocks that Eclair has missed are announced", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  await expect.poll(() => two.published.at(-1)).toBe(hashOf("x", 100));
  const transactions = ["aa", "bb"];
  for (const bitcoind of [two.a, two.b])
    bitcoind.answers.set("getblock", { tx: transactions.map((hex) => ({ hex })) });
  // Eclair gets the announcement of one new block, and reads this block itself.
  two.a.blocks.height = 101;
  await expect.poll(() => two.published.at(-1)).toBe(hashOf("x", 101));
  expect(two.published).not.toContain("aa");
  two.b.blocks.height = 103;
  await two.a.stop();
  await two.untilChosen("b");
  await expect.poll(() => two.published.filter((content) => content === "bb").length).toBe(2);
  expect(two.b.paramsOf("getblock")).toEqual([
    [hashOf("x", 102), 2],
    [hashOf("x", 103), 2],
  ]);
});

test("a gate that starts again announces the blocks that Eclair has missed, when Eclair has subscribed again", async () => {
  two.a.answers.set("getblock", { tx: [{ hex: "aa" }] });
  two.isSubscribed = false;
  two.follow("eclair-1", undefined, { settledBlock: { height: 90, hash: hashOf("x", 90) }, knownHeight: 98 });
  await two.untilChosen("a");
  await expect.poll(() => two.published).toContain(hashOf("x", 100));
  expect(two.a.count("getblock")).toBe(0);
  two.isSubscribed = true;
  await expect.poll(() => two.published.filter((content) => content === "aa").length).toBe(2);
  await expect.poll(() => two.gate.status?.knownHeight).toBe(100);
});

test("an instance that used another chain before it knew the active instance's chain changes to that chain", async () => {
  two.b.blocks = { chain: "y", height: 300 };
  await two.a.stop();
  two.follow();
  await two.untilChosen("b");
  await two.a.start();
  two.follow(undefined, { height: 80, hash: hashOf("x", 80) });
  await two.untilChosen("a");
  expect(two.problem(0)).toBeUndefined();
  expect(two.problem(1)).toMatch(/is on another chain: its block (80|90) is/);
  expect(two.gate.status?.bitcoind).toMatchObject({ settledBlock: { height: 90, hash: hashOf("x", 90) } });
});

test.each<[string, (bitcoind: FakeBitcoind) => void, RegExp]>([
  ["on another chain", (other) => (other.chain = "signet"), /is on the chain signet, not on regtest/],
  [
    "on another chain with the same name",
    (other) => (other.blocks = { chain: "y", height: 300 }),
    /is on another chain: its block 90 is .*, and the block of the node is/,
  ],
  [
    "a hundred blocks behind",
    (other) => (other.blocks.height = 0),
    /is at block 0, and the chain of the node has the block 90/,
  ],
  ["without txindex", (other) => (other.txindex = {}), /has no txindex/],
  [
    "with an incomplete txindex",
    (other) => (other.txindex = { txindex: { synced: false } }),
    /builds its txindex/,
  ],
  [
    "of a version that is too old for this Eclair",
    (other) => (other.version = 300_200),
    /has the version 30\.2\.0: Eclair 0\.14\.1 requires Bitcoin Core 31\.0 or later/,
  ],
])("a bitcoind %s is never chosen, and the log states the reason", async (_name, change, reason) => {
  two.follow();
  await two.untilChosen("a");
  change(two.b);
  await expect.poll(() => two.problem(1)).toMatch(reason);
  await two.a.stop();
  expect(await two.call("getblockcount")).toMatch(/does not answer/);
  expect(two.chosen()).toBe("a");
  expect(two.b.count("getblockcount")).toBe(0);
  expect(two.events()).toContainEqual(
    expect.objectContaining({
      event: "bitcoind.unusable",
      bitcoind: "b",
      reason: expect.stringMatching(reason) as string,
    }),
  );
  expect(two.gate.status?.bitcoind).toMatchObject({
    known: false,
    reason: expect.stringMatching(/^no bitcoind can be used: a does not answer: .*; b /) as string,
  });
});
