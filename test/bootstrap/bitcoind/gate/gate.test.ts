import { afterEach, beforeEach, expect, test } from "vitest";
import { BitcoindGate } from "../../../../bootstrap/bitcoind/gate/gate.ts";
import { passRequest } from "../../../../bootstrap/bitcoind/gate/passage.ts";
import type { BlockId } from "../../../../bootstrap/contract/reports/bitcoind.ts";
import { parseRequest } from "../../../../bootstrap/bitcoind/rpc/request.ts";
import { Publisher } from "../../../../bootstrap/bitcoind/zmq/publisher.ts";
import { FakeBitcoind, hashOf } from "../../../support/fake-bitcoind.ts";
import { captureLog } from "../../../support/log-capture.ts";

const log = captureLog();
const events = () => log.lines() as { event: string; [field: string]: unknown }[];
let a: FakeBitcoind;
let b: FakeBitcoind;
let publisher: Publisher;
let published: string[];
let gate: BitcoindGate;

beforeEach(async () => {
  log.clear();
  [a, b] = [new FakeBitcoind(), new FakeBitcoind()];
  await Promise.all([a.start(), b.start()]);
  publisher = new Publisher();
  published = [];
  publisher.publish = (parts) => void published.push(Buffer.from(parts[1] ?? []).toString("hex"));
  gate = new BitcoindGate(publisher, 50);
});
afterEach(async () => {
  gate.close();
  await Promise.all([a.close(), b.close()]);
});

function follow(openEclair?: string, settledBlock?: BlockId): void {
  gate.update({
    chain: "regtest",
    wallet: "eclair",
    bitcoinds: [a.endpoint("a"), b.endpoint("b")],
    login: { username: "eclair", password: "x" },
    ...(openEclair !== undefined && { openEclair }),
    nextAddresses: [],
    ...(settledBlock !== undefined && { settledBlock }),
  });
}

const chosen = () => gate.status?.bitcoinds.find((bitcoind) => bitcoind.chosen)?.name;
async function untilChosen(name: string): Promise<void> {
  await expect.poll(chosen, { timeout: 5_000 }).toBe(name);
}

/** Sends calls as Eclair does, in an array. @returns result or error message of the first call */
async function call(method: string, ...params: unknown[]): Promise<unknown> {
  const body = JSON.stringify([{ jsonrpc: "1.0", id: "scala-client", method, params }]);
  const answer = await passRequest(gate, "/wallet/eclair", body, parseRequest(body));
  const [first] = JSON.parse(answer.body) as { result: unknown; error: { message: string } | null }[];
  return first?.error?.message ?? first?.result;
}

test("the preferred bitcoind answers, and a read moves to the next one when the preferred one ends", async () => {
  follow();
  await untilChosen("a");
  expect(await call("getblockcount")).toBe(true);
  await a.stop();
  expect(await call("getblockcount")).toBe(true);
  expect(chosen()).toBe("b");
  expect(b.count("getblockcount")).toBe(1);
  expect(events().filter(({ event }) => event === "bitcoind.chosen")).toEqual([
    expect.objectContaining({ bitcoind: "a", reason: "the first choice" }),
    expect.objectContaining({ bitcoind: "b", previous: "a" }),
  ]);
});

test("requests that a held bitcoind has not answered move to the next one", async () => {
  follow();
  await untilChosen("a");
  a.fault = "silent";
  const started = performance.now();
  expect(await call("getblockcount")).toBe(true);
  expect(b.count("getblockcount")).toBe(1);
  expect(performance.now() - started).toBeLessThan(5_000);
});

test.each(["fundrawtransaction", "lockunspent", "getnewaddress"])(
  "%s without an answer is sent to no other bitcoind",
  async (method) => {
    follow("eclair-1");
    await untilChosen("a");
    a.fault = "cut";
    expect(await call(method)).toMatch(/^bitcoind \(a\) did not answer, and the call is not repeated/);
    await untilChosen("b");
    expect([a.count(method), b.count(method)]).toEqual([1, 0]);
    expect(events()).toContainEqual(
      expect.objectContaining({
        event: "bitcoind.change",
        methods: [method],
        bitcoind: "a",
        outcome: "no answer",
      }),
    );
  },
);

test("a call that changes the wallet is sent to the next bitcoind when it did not reach the first one", async () => {
  follow();
  await untilChosen("a");
  await a.stop();
  expect(await call("getnewaddress")).toBe(true);
  expect(b.count("getnewaddress")).toBe(1);
});

const transaction =
  "02000000000101aa00000000000000000000000000000000000000000000000000000000000000010000000000ffffffff01e8030000000000001600140102030405060708090a0b0c0d0e0f10111213140100000000";

test("a transaction goes to every bitcoind, and the next one's answer counts when the first answer is lost", async () => {
  follow("eclair-1");
  await untilChosen("a");
  b.answers.set("sendrawtransaction", "the id");
  a.fault = "cut";
  expect(await call("sendrawtransaction", transaction)).toBe("the id");
  expect(a.count("sendrawtransaction")).toBeGreaterThanOrEqual(1);
  expect(b.count("sendrawtransaction")).toBeGreaterThanOrEqual(1);
});

test("locks and transactions move with Eclair to another bitcoind", async () => {
  follow("eclair-1");
  await untilChosen("a");
  const [locked, stale] = [
    { txid: "aa".repeat(32), vout: 0 },
    { txid: "bb".repeat(32), vout: 7 },
  ];
  b.locked = [stale];
  await call("lockunspent", false, [locked]);
  await call("sendrawtransaction", transaction);
  const before = b.count("sendrawtransaction");
  await a.stop();
  expect(await call("listunspent")).toBe(true);
  const moved = b.calls.filter(({ method }) => method === "lockunspent").map(({ params }) => params);
  expect(moved).toEqual([
    [true, [stale]],
    [false, [locked]],
  ]);
  expect(b.count("sendrawtransaction")).toBe(before + 1);
  // The locks are there before Eclair's first request.
  const order = b.calls.map(({ method }) => method);
  expect(order.lastIndexOf("lockunspent")).toBeLessThan(order.lastIndexOf("listunspent"));
});

test("the locks of an earlier Eclair do not move, and those of a shared bitcoind stay while no Eclair is connected", async () => {
  follow("eclair-1");
  await untilChosen("a");
  await call("lockunspent", false, [{ txid: "aa".repeat(32), vout: 0 }]);
  follow("eclair-2");
  await a.stop();
  await call("getblockcount");
  expect(b.count("lockunspent")).toBe(0);
});

test("each block of the chosen bitcoind is announced, and the best block after a change", async () => {
  follow();
  await untilChosen("a");
  await expect.poll(() => published.at(-1)).toBe(hashOf("x", 100));
  a.blocks.height = 101;
  // Without an announcement of its own.
  await expect.poll(() => published.at(-1), { timeout: 3_000 }).toBe(hashOf("x", 101));
  b.blocks.height = 102;
  await a.stop();
  await untilChosen("b");
  await expect.poll(() => published.at(-1), { timeout: 3_000 }).toBe(hashOf("x", 102));
});

test("the preferred bitcoind defines the chain at first, also when a chain with more work is in the list", async () => {
  b.blocks = { chain: "y", height: 300 };
  follow();
  await untilChosen("a");
  await expect
    .poll(() => gate.status?.bitcoinds[1]?.problem, { timeout: 4_000 })
    .toMatch(/is on another chain/);
  expect(chosen()).toBe("a");
});

test("the chain of the other instances defines the chain, also for the preferred bitcoind", async () => {
  a.blocks = { chain: "y", height: 300 };
  follow(undefined, { height: 80, hash: hashOf("x", 80) });
  await untilChosen("b");
  expect(gate.status?.bitcoinds[0]?.problem).toMatch(/is on another chain: its block 80/);
  expect(gate.status?.bitcoind).toMatchObject({ settledBlock: { height: 90, hash: hashOf("x", 90) } });
});

test("an instance that used another chain before it knew the active instance's chain changes to that chain", async () => {
  b.blocks = { chain: "y", height: 300 };
  await a.stop();
  follow();
  await untilChosen("b");
  await a.start();
  follow(undefined, { height: 80, hash: hashOf("x", 80) });
  await untilChosen("a");
  expect(gate.status?.bitcoinds[0]?.problem).toBeUndefined();
  expect(gate.status?.bitcoinds[1]?.problem).toMatch(/is on another chain: its block 80/);
  expect(gate.status?.bitcoind).toMatchObject({ settledBlock: { height: 90, hash: hashOf("x", 90) } });
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
    /is at block 0, and the node has used block 90/,
  ],
  ["without txindex", (other) => (other.txindex = {}), /has no txindex/],
  [
    "with an incomplete txindex",
    (other) => (other.txindex = { txindex: { synced: false } }),
    /builds its txindex/,
  ],
  ["of an old version", (other) => (other.version = 270_000), /has the version 270000/],
])("a bitcoind %s is never chosen, and the log states the reason", async (_name, change, reason) => {
  follow();
  await untilChosen("a");
  change(b);
  await expect.poll(() => gate.status?.bitcoinds[1]?.problem, { timeout: 4_000 }).toMatch(reason);
  await a.stop();
  expect(await call("getblockcount")).toMatch(/does not answer/);
  expect(chosen()).toBe("a");
  expect(b.count("getblockcount")).toBe(0);
  expect(events()).toContainEqual(
    expect.objectContaining({
      event: "bitcoind.unusable",
      bitcoind: "b",
      reason: expect.stringMatching(reason) as string,
    }),
  );
  expect(gate.status?.bitcoind).toMatchObject({
    known: false,
    reason: expect.stringMatching(/^no bitcoind can be used: a does not answer: .*; b /) as string,
  });
});
