import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { idOf, inputsOf } from "../../../../bootstrap/bitcoind/gate/wallet/outpoint.ts";
import { hashOf } from "../../../support/fake-bitcoind.ts";
import { GateOfTwoBitcoinds } from "../../../support/gate-of-two-bitcoinds.ts";

const two = new GateOfTwoBitcoinds();

test.each(["fundrawtransaction", "lockunspent", "getnewaddress"])(
  "%s without an answer is sent to no other bitcoind",
  async (method) => {
    two.follow("eclair-1");
    await two.untilChosen("a");
    two.a.fault = "cut";
    expect(await two.call(method)).toMatch(/^bitcoind \(a\) did not answer, and the call is not repeated/);
    await two.untilChosen("b");
    expect([two.a.count(method), two.b.count(method)]).toEqual([1, 0]);
    expect(two.events()).toContainEqual(
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
  two.follow();
  await two.untilChosen("a");
  await two.a.stop();
  expect(await two.call("getnewaddress")).toBe(true);
  expect(two.b.count("getnewaddress")).toBe(1);
});

const transaction =
  "0200000001aa000000000000000000000000000000000000000000000000000000000000000100000000ffffffff01e8030000000000001600140102030405060708090a0b0c0d0e0f101112131400000000";

const child = transaction.replace("0200000001aa", "0200000001bb");

test.each(["no answer", "an error"])(
  "what Eclair unlocks is not locked in another bitcoind, also after %s of bitcoind",
  async (outcome) => {
    two.follow("eclair-1");
    await two.untilChosen("a");
    const locked = { txid: "aa".repeat(32), vout: 0 };
    await two.call("lockunspent", false, [locked]);
    if (outcome === "no answer") two.a.fault = "cut";
    else two.a.answers.set("lockunspent", new Error("Invalid parameter, expected locked output"));
    await two.call("lockunspent", true, [locked]);
    await two.changeToB();
    expect(two.b.count("lockunspent")).toBe(0);
  },
);

/** Eclair funds a transaction, and the first bitcoind does not answer. */
async function beginFunding(): Promise<{ readonly answer: Promise<unknown> }> {
  two.follow("eclair-1");
  await two.untilChosen("a");
  two.a.silentMethods.add("fundrawtransaction");
  const answer = two.call("fundrawtransaction", "00", { lockUnspents: true });
  await expect.poll(() => two.a.count("fundrawtransaction")).toBe(1);
  return { answer };
}

test("a change waits for a call that changes the wallet, so that its lock moves as well", async () => {
  const funding = await beginFunding();
  two.a.txindex = {};
  await expect.poll(() => two.problem(0)).toBe("has no txindex");
  await sleep(200);
  expect(two.chosen()).toBe("a");
  await two.a.stop();
  await funding.answer;
  await two.untilChosen("b");
});

test("a change does not wait longer than ten seconds for a call that has no answer", async () => {
  const funding = await beginFunding();
  two.a.txindex = {};
  await expect.poll(two.chosen, { timeout: 15_000 }).toBe("b");
  expect(await funding.answer).toMatch(/^bitcoind \(a\) did not answer, and the call is not repeated/);
});

test("locks and transactions move with Eclair to another bitcoind", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  const [locked, stale] = [
    { txid: "aa".repeat(32), vout: 0 },
    { txid: "bb".repeat(32), vout: 7 },
  ];
  two.b.locked = [stale];
  await two.call("lockunspent", false, [locked]);
  await two.call("sendrawtransaction", transaction);
  await expect.poll(() => two.b.count("sendrawtransaction")).toBe(1);
  await two.a.stop();
  expect(await two.call("listunspent")).toBe(true);
  const moved = two.b.paramsOf("lockunspent");
  expect(moved).toEqual([
    [true, [stale]],
    [false, [locked]],
  ]);
  expect(two.b.count("sendrawtransaction")).toBe(2);
  // The locks are there before Eclair's first request.
  const order = two.b.calls.map(({ method }) => method);
  expect(order.lastIndexOf("lockunspent")).toBeLessThan(order.lastIndexOf("listunspent"));
});

test("an output that another bitcoind does not know yet is locked when that bitcoind learns of it, unless Eclair has unlocked it", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  const [locked, unlocked] = [
    { txid: "aa".repeat(32), vout: 0 },
    { txid: "bb".repeat(32), vout: 1 },
  ];
  await two.call("lockunspent", false, [locked, unlocked]);
  two.b.answers.set("lockunspent", new Error("Invalid parameter, unknown transaction"));
  await two.changeToB();
  expect(two.events()).toContainEqual(
    expect.objectContaining({ event: "bitcoind.wallet-prepared", locked: 0, unknown: 2 }),
  );
  await two.call("lockunspent", true, [unlocked]);
  two.b.answers.delete("lockunspent");
  const earlier = two.b.count("lockunspent");
  const locks = () => two.b.paramsOf("lockunspent").slice(earlier);
  await expect.poll(locks).toEqual([[false, [locked]]]);
  const examinations = two.b.count("getblockchaininfo");
  await expect.poll(() => two.b.count("getblockchaininfo")).toBeGreaterThan(examinations + 2);
  expect(locks()).toHaveLength(1);
});

test("the locks of an earlier Eclair do not move, and those of a shared bitcoind stay while no Eclair is connected", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  await two.call("lockunspent", false, [{ txid: "aa".repeat(32), vout: 0 }]);
  two.follow("eclair-2");
  await two.a.stop();
  await two.call("getblockcount");
  expect(two.b.count("lockunspent")).toBe(0);
});

test("a transaction that replaces another one moves, also after Eclair has unlocked the inputs of the earlier one", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  await two.call("sendrawtransaction", transaction);
  // bitcoind has no lock: the replacement spends the output as well.
  two.a.answers.set("lockunspent", new Error("Invalid parameter, expected locked output"));
  await two.call("lockunspent", true, inputsOf(transaction));
  await expect.poll(() => two.b.count("sendrawtransaction")).toBe(1);
  await two.changeToB();
  expect(two.b.count("sendrawtransaction")).toBe(2);
});

test.each<[string, object]>([
  ["sendrawtransaction", Object.assign(new Error("min relay fee not met"), { code: -26 })],
  ["submitpackage", { package_msg: "transaction failed" }],
])(
  "the inputs of what another bitcoind refuses are locked there, and it is kept: %s",
  async (method, refusal) => {
    two.follow("eclair-1");
    await two.untilChosen("a");
    two.a.answers.set("submitpackage", { package_msg: "success" });
    two.b.answers.set(method, refusal);
    const [input] = inputsOf(transaction);
    two.b.answers.set("listunspent", [input]);
    await two.call(method, method === "submitpackage" ? [transaction] : transaction);
    await two.a.stop();
    await two.call("getblockcount");
    await two.untilChosen("b");
    const locked = two.b.calls.filter(({ method: called }) => called === "lockunspent");
    expect(locked.map(({ params }) => params)).toEqual([[false, [input]]]);
    expect(two.gate.walletState.broadcasts.list().map(({ call }) => call.method)).toEqual([method]);
  },
);

test("a transaction that is deep in the chain is forgotten at the next block", async () => {
  const known = () => two.gate.walletState.broadcasts.list().length;
  const mineOne = () => (two.a.blocks = { chain: "x", height: two.a.blocks.height + 1 });
  two.follow("eclair-1");
  await two.untilChosen("a");
  await two.call("sendrawtransaction", transaction);
  for (const confirmations of [5, 6]) {
    const asked = two.a.count("getrawtransaction");
    two.a.answers.set("getrawtransaction", { confirmations });
    mineOne();
    await expect.poll(() => two.a.count("getrawtransaction")).toBe(asked + 1);
    await expect.poll(known).toBe(confirmations === 6 ? 0 : 1);
  }
  expect(two.a.calls.findLast(({ method }) => method === "getrawtransaction")?.params).toEqual([
    idOf(transaction),
    true,
  ]);
});

test("a gate that starts while Eclair is connected uses the bitcoind of the gate before it, and not a preferred one", async () => {
  two.follow("eclair-1", undefined, { chosen: "b" });
  await expect.poll(two.chosen).toBeDefined();
  expect(two.chosen()).toBe("b");
});

test("a gate that starts while Eclair is connected learns Eclair's locks from bitcoind", async () => {
  const locked = { txid: "aa".repeat(32), vout: 0 };
  two.a.locked = [locked];
  two.follow("eclair-1");
  await two.untilChosen("a");
  await two.changeToB();
  const moved = two.b.paramsOf("lockunspent");
  expect(moved).toEqual([[false, [locked]]]);
});

test("the transactions of an earlier Eclair move, unless another instance was active in the meantime", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  await two.call("sendrawtransaction", transaction);
  await expect.poll(() => two.b.count("sendrawtransaction")).toBe(1);
  two.follow("eclair-2");
  await two.changeToB();
  expect(two.b.count("sendrawtransaction")).toBe(2);
  two.follow(undefined, { height: 90, hash: hashOf("x", 90) });
  two.follow("eclair-3");
  await two.a.start();
  await two.b.stop();
  await expect.poll(() => two.call("listunspent"), { timeout: 10_000 }).toBe(true);
  expect([two.chosen(), two.a.count("sendrawtransaction")]).toEqual(["a", 1]);
});

test("a transaction that Eclair abandons does not move", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  await two.call("sendrawtransaction", transaction);
  await two.call("abandontransaction", idOf(transaction));
  await expect.poll(() => two.b.count("sendrawtransaction")).toBe(1);
  await two.changeToB();
  expect(two.b.count("sendrawtransaction")).toBe(1);
});

test("a transaction that is broadcast again stays before the one that spends it", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  for (const sent of [transaction, child, transaction]) await two.call("sendrawtransaction", sent);
  await expect.poll(() => two.b.count("sendrawtransaction")).toBe(3);
  await two.changeToB();
  expect(two.movedToB(3)).toEqual([transaction, child]);
});

test("a transaction that bitcoind accepted once is kept when bitcoind refuses it later", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  await two.call("sendrawtransaction", transaction);
  await expect.poll(() => two.b.count("sendrawtransaction")).toBe(1);
  two.a.answers.set("sendrawtransaction", new Error("mempool min fee not met"));
  expect(await two.call("sendrawtransaction", transaction)).toBe("mempool min fee not met");
  const earlier = two.b.count("sendrawtransaction");
  await two.changeToB();
  expect(two.movedToB(earlier)).toEqual([transaction]);
});

test("transactions of the wallet from before Eclair was connected move, ahead of the transactions that spend them", async () => {
  const earlier = transaction;
  const replaced = transaction.replace("0200000001aa", "0200000001cc");
  const sent = { category: "send", confirmations: 0 };
  two.a.answers.set("listtransactions", [
    { ...sent, txid: "01".repeat(32), confirmations: 3 },
    { ...sent, txid: "02".repeat(32), category: "receive" },
    { ...sent, txid: "03".repeat(32), abandoned: true },
    { ...sent, txid: idOf(replaced) },
    // An entry for each output.
    { ...sent, txid: idOf(earlier) },
    { ...sent, txid: idOf(earlier) },
  ]);
  two.a.answers.set("getrawtransaction", "not a transaction");
  two.follow("eclair-1");
  await two.untilChosen("a");
  await two.call("sendrawtransaction", child);
  await expect
    .poll(() => two.events())
    .toContainEqual(expect.objectContaining({ event: "bitcoind.broadcasts-unknown" }));
  two.a.rawTransactions.set(idOf(earlier), earlier);
  two.a.answers.delete("getrawtransaction");
  const requested = two.a.count("getrawtransaction");
  await expect.poll(() => two.a.count("getrawtransaction")).toBeGreaterThanOrEqual(requested + 2);
  // The next examination begins when the gate has learned the transactions.
  const examined = two.a.count("getblockchaininfo");
  await expect.poll(() => two.a.count("getblockchaininfo")).toBeGreaterThan(examined);
  await two.changeToB();
  expect(two.movedToB(1)).toEqual([earlier, child]);
});

test("a bitcoind that starts again, without another one, gets back its locks and transactions", async () => {
  await two.b.stop();
  two.follow("eclair-1");
  await two.untilChosen("a");
  const outpoint = { txid: "aa".repeat(32), vout: 0 };
  await two.call("sendrawtransaction", transaction);
  await two.call("lockunspent", false, [outpoint]);
  await two.a.stop();
  expect(await two.call("getblockcount")).toMatch(/does not answer/);
  await two.a.start();
  await expect.poll(() => two.call("listunspent")).toBe(true);
  const calls = two.a.paramsOf("lockunspent");
  expect(calls).toEqual([
    [false, [outpoint]],
    [false, [outpoint]],
  ]);
  expect(two.a.count("sendrawtransaction")).toBe(2);
  const order = two.a.calls.map(({ method }) => method);
  expect(order.lastIndexOf("lockunspent")).toBeLessThan(order.lastIndexOf("listunspent"));
  expect(two.events()).not.toContainEqual(expect.objectContaining({ previous: "a" }));
});

test("a bitcoind that started again gets no call that changes the wallet before it has Eclair's locks", async () => {
  await two.b.stop();
  two.follow("eclair-1");
  await two.untilChosen("a");
  await two.call("lockunspent", false, [{ txid: "aa".repeat(32), vout: 0 }]);
  await two.a.stop();
  expect(await two.call("getblockcount")).toMatch(/does not answer/);
  two.a.txindex = {};
  await two.a.start();
  await expect.poll(() => two.call("getblockcount")).toBe(true);
  expect(await two.call("fundrawtransaction")).toMatch(/does not have Eclair's locked outputs yet/);
  expect(two.a.count("fundrawtransaction")).toBe(0);
  two.a.txindex = { txindex: { synced: true, best_block_height: 100 } };
  await expect.poll(() => two.call("getnewaddress")).toBe(true);
  expect(two.a.count("lockunspent")).toBe(2);
});
