import { expect, test } from "vitest";
import { inputsOf } from "../../../../bootstrap/bitcoind/gate/wallet/outpoint.ts";
import { GateOfTwoBitcoinds } from "../../../support/gate-of-two-bitcoinds.ts";

const two = new GateOfTwoBitcoinds();

const transaction =
  "0200000001aa000000000000000000000000000000000000000000000000000000000000000100000000ffffffff01e8030000000000001600140102030405060708090a0b0c0d0e0f101112131400000000";

test("a transaction goes to every bitcoind, and the next one's answer counts when the first answer is lost", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  two.b.answers.set("sendrawtransaction", "the id");
  two.a.fault = "cut";
  expect(await two.call("sendrawtransaction", transaction)).toBe("the id");
  expect(two.a.count("sendrawtransaction")).toBeGreaterThanOrEqual(1);
  expect(two.b.count("sendrawtransaction")).toBeGreaterThanOrEqual(1);
});

test.each<[method: string, argument: unknown, answer: unknown]>([
  ["sendrawtransaction", transaction, new Error("mempool min fee not met")],
  ["submitpackage", [transaction], { package_msg: "transaction failed" }],
])(
  "a transaction of locked outputs that bitcoind refuses is sent to no other one, now or later: %s",
  async (method, argument, answer) => {
    two.follow("eclair-1");
    await two.untilChosen("a");
    await two.call("lockunspent", false, inputsOf(transaction));
    two.a.answers.set(method, answer);
    expect(await two.call(method, argument)).toEqual(answer instanceof Error ? answer.message : answer);
    await two.changeToB();
    expect([two.b.count("sendrawtransaction"), two.b.count("submitpackage")]).toEqual([0, 0]);
  },
);

test("a transaction of which Eclair gets no answer is sent to no other bitcoind later", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  await two.call("lockunspent", false, inputsOf(transaction));
  await two.b.stop();
  two.a.fault = "cut";
  expect(await two.call("sendrawtransaction", transaction)).toMatch(/does not answer/);
  two.a.fault = "none";
  await two.b.start();
  await expect
    .poll(() => two.gate.status?.bitcoinds.every(({ problem }) => problem === undefined))
    .toBe(true);
  await two.changeToB();
  expect(two.b.count("sendrawtransaction")).toBe(0);
});

test("a transaction that spends no locked output goes to every bitcoind at once, whatever the chosen one answers", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  two.a.answers.set("sendrawtransaction", new Error("mempool min fee not met"));
  expect(await two.call("sendrawtransaction", transaction)).toBe("mempool min fee not met");
  await expect.poll(() => two.b.count("sendrawtransaction")).toBe(1);
});

test("a transaction whose answer was lost waits for a bitcoind that can be used", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  await two.b.stop();
  two.a.answers.set("sendrawtransaction", "the id");
  two.a.fault = "cut";
  two.waitMilliseconds = 10_000;
  const answer = two.call("sendrawtransaction", transaction);
  await expect.poll(() => two.problem(0)).toBeDefined();
  two.a.fault = "none";
  expect(await answer).toBe("the id");
});

test("a transaction that the gate gave up is sent to the next bitcoind, and not to the same one again", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  two.a.silentMethods.add("sendrawtransaction");
  two.b.answers.set("sendrawtransaction", "the id");
  const answer = two.call("sendrawtransaction", transaction);
  await expect.poll(() => two.a.count("sendrawtransaction")).toBe(1);
  (await two.gate.current())?.abandonRequests();
  expect(await answer).toBe("the id");
  expect(two.a.count("sendrawtransaction")).toBe(1);
});

test("a package that bitcoind accepts goes to every bitcoind", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  two.a.answers.set("submitpackage", { package_msg: "success" });
  await two.call("submitpackage", [transaction]);
  await expect.poll(() => two.b.count("submitpackage")).toBe(1);
});

test("a transaction whose inputs Eclair unlocks does not move to another bitcoind", async () => {
  two.follow("eclair-1");
  await two.untilChosen("a");
  await two.call("sendrawtransaction", transaction);
  await expect.poll(() => two.b.count("sendrawtransaction")).toBe(1);
  await two.call("lockunspent", true, inputsOf(transaction));
  await two.changeToB();
  expect(two.b.count("sendrawtransaction")).toBe(1);
});
