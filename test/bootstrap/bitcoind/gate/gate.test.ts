import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BitcoindGate } from "../../../../bootstrap/bitcoind/gate/gate.ts";
import { passRequest } from "../../../../bootstrap/bitcoind/gate/passage.ts";
import { inputsOf } from "../../../../bootstrap/bitcoind/gate/wallet/outpoint.ts";
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
  await expect.poll(chosen).toBe(name);
}

/** Ends the first bitcoind, and waits until the second one has answered a call of Eclair. */
async function changeToB(): Promise<void> {
  await a.stop();
  expect(await call("listunspent")).toBe(true);
  expect(chosen()).toBe("b");
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
  "0200000001aa000000000000000000000000000000000000000000000000000000000000000100000000ffffffff01e8030000000000001600140102030405060708090a0b0c0d0e0f101112131400000000";

test("a transaction goes to every bitcoind, and the next one's answer counts when the first answer is lost", async () => {
  follow("eclair-1");
  await untilChosen("a");
  b.answers.set("sendrawtransaction", "the id");
  a.fault = "cut";
  expect(await call("sendrawtransaction", transaction)).toBe("the id");
  expect(a.count("sendrawtransaction")).toBeGreaterThanOrEqual(1);
  expect(b.count("sendrawtransaction")).toBeGreaterThanOrEqual(1);
});

test.each<[method: string, argument: unknown, answer: unknown]>([
  ["sendrawtransaction", transaction, new Error("mempool min fee not met")],
  ["submitpackage", [transaction], { package_msg: "transaction failed" }],
])(
  "what bitcoind refuses is sent to no other bitcoind, now or later: %s",
  async (method, argument, answer) => {
    follow("eclair-1");
    await untilChosen("a");
    a.answers.set(method, answer);
    expect(await call(method, argument)).toEqual(answer instanceof Error ? answer.message : answer);
    await changeToB();
    expect([b.count("sendrawtransaction"), b.count("submitpackage")]).toEqual([0, 0]);
  },
);

test("a transaction of which Eclair gets no answer is sent to no other bitcoind later", async () => {
  follow("eclair-1");
  await untilChosen("a");
  await b.stop();
  a.fault = "cut";
  expect(await call("sendrawtransaction", transaction)).toMatch(/does not answer/);
  a.fault = "none";
  await b.start();
  await expect.poll(() => gate.status?.bitcoinds.every(({ problem }) => problem === undefined)).toBe(true);
  await changeToB();
  expect(b.count("sendrawtransaction")).toBe(0);
});

test("a package that bitcoind accepts goes to every bitcoind", async () => {
  follow("eclair-1");
  await untilChosen("a");
  a.answers.set("submitpackage", { package_msg: "success" });
  await call("submitpackage", [transaction]);
  await expect.poll(() => b.count("submitpackage")).toBe(1);
});

test("a transaction whose inputs Eclair unlocks does not move to another bitcoind", async () => {
  follow("eclair-1");
  await untilChosen("a");
  await call("sendrawtransaction", transaction);
  await expect.poll(() => b.count("sendrawtransaction")).toBe(1);
  await call("lockunspent", true, inputsOf(transaction));
  await changeToB();
  expect(b.count("sendrawtransaction")).toBe(1);
});

test("a change waits for a call that changes the wallet, so that its lock moves as well", async () => {
  follow("eclair-1");
  await untilChosen("a");
  a.silentMethods.add("fundrawtransaction");
  const funding = call("fundrawtransaction", "00", { lockUnspents: true });
  await expect.poll(() => a.count("fundrawtransaction")).toBe(1);
  a.txindex = {};
  await expect.poll(() => gate.status?.bitcoinds[0]?.problem).toBe("has no txindex");
  await sleep(200);
  expect(chosen()).toBe("a");
  await a.stop();
  await funding;
  await untilChosen("b");
});

test("a change does not wait longer than ten seconds for a call that has no answer", async () => {
  follow("eclair-1");
  await untilChosen("a");
  a.silentMethods.add("fundrawtransaction");
  const funding = call("fundrawtransaction", "00", { lockUnspents: true });
  await expect.poll(() => a.count("fundrawtransaction")).toBe(1);
  a.txindex = {};
  await expect.poll(chosen, { timeout: 15_000 }).toBe("b");
  expect(await funding).toMatch(/^bitcoind \(a\) did not answer, and the call is not repeated/);
});

test("a bitcoind that returns on another chain is not used any more, and no block of that chain is announced", async () => {
  follow("eclair-1");
  await untilChosen("a");
  await expect.poll(() => gate.status?.bitcoind).toMatchObject({ settledBlock: { height: 90 } });
  await Promise.all([a.stop(), b.stop()]);
  await expect.poll(() => gate.status?.bitcoinds[0]?.problem).toMatch(/does not answer/);
  a.blocks = { chain: "y", height: 300 };
  a.isSyncing = true;
  await a.start();
  // Before and after the gate has examined it.
  const answers: unknown[] = [];
  await expect
    .poll(async () => {
      answers.push(await call("getblockcount"));
      return gate.status?.bitcoinds[0]?.problem;
    })
    .toMatch(/is on another chain: its block 90/);
  answers.push(await call("getblockcount"));
  for (const answer of answers)
    expect(answer).toMatch(/^bitcoind \(a\) (does not answer|is on another chain)/);
  expect(published).not.toContain(hashOf("y", 300));
  expect(gate.status?.isUsable).toBe(false);
  await b.start();
  await untilChosen("b");
  expect(await call("getblockcount")).toBe(true);
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
  await expect.poll(() => b.count("sendrawtransaction")).toBe(1);
  await a.stop();
  expect(await call("listunspent")).toBe(true);
  const moved = b.calls.filter(({ method }) => method === "lockunspent").map(({ params }) => params);
  expect(moved).toEqual([
    [true, [stale]],
    [false, [locked]],
  ]);
  expect(b.count("sendrawtransaction")).toBe(2);
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
  await expect.poll(() => published.at(-1)).toBe(hashOf("x", 101));
  b.blocks.height = 102;
  await a.stop();
  await untilChosen("b");
  await expect.poll(() => published.at(-1)).toBe(hashOf("x", 102));
});

test("the preferred bitcoind defines the chain at first, also when a chain with more work is in the list", async () => {
  b.blocks = { chain: "y", height: 300 };
  follow();
  await untilChosen("a");
  await expect.poll(() => gate.status?.bitcoinds[1]?.problem).toMatch(/is on another chain/);
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
  await expect.poll(() => gate.status?.bitcoinds[1]?.problem).toMatch(reason);
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
