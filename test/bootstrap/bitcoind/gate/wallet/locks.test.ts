import { Transaction } from "@scure/btc-signer";
import { expect, test } from "vitest";
import { LockedOutputs } from "../../../../../bootstrap/bitcoind/gate/wallet/locks.ts";
import { idOf, inputsOf } from "../../../../../bootstrap/bitcoind/gate/wallet/outpoint.ts";

const outpoint = (byte: string) => ({ txid: byte.repeat(32), vout: 1 });
const a = outpoint("aa");
const b = outpoint("bb");
const c = outpoint("cc");

/** A transaction that spends these outputs, without signatures. */
function spending(...spent: readonly { txid: string; vout: number }[]): string {
  const inputs = spent.map(
    ({ txid, vout }) =>
      `${Buffer.from(Buffer.from(txid, "hex").toReversed()).toString("hex")}0${vout}00000000ffffffff`,
  );
  return `020000000${spent.length}${inputs.join("")}01e803000000000000015100000000`;
}

const call = (method: string, ...params: unknown[]) => ({ id: 1, method, params });

test("the inputs of a transaction have the ids that bitcoind prints", () => {
  expect(inputsOf(spending(a, b))).toEqual([a, b]);
});

test("the id of a transaction does not depend on its witnesses", () => {
  const input = `${"aa".repeat(32)}0100000000ffffffff`;
  const output = `e80300000000000016001401${"02".repeat(19)}`;
  const signed = `02000000000101${input}01${output}0102abcd00000000`;
  const { id } = Transaction.fromRaw(Buffer.from(signed, "hex"), { allowUnknownInputs: true });
  expect(idOf(signed)).toBe(id);
  expect(idOf(`0200000001${input}01${output}00000000`)).toBe(id);
});

test("follows Eclair's locks", () => {
  const locks = new LockedOutputs();
  locks.observe(call("fundrawtransaction", "00", { lockUnspents: true }), {
    hex: spending(a, b),
  });
  locks.observe(call("lockunspent", false, [c]), true);
  expect(locks.list).toEqual([a, b, c]);
  locks.unlock([b]);
  expect(locks.list).toEqual([a, c]);
  // A transaction that is broadcast spends its inputs, and bitcoind releases their locks.
  locks.observe(call("sendrawtransaction", spending(a)), "id");
  expect(locks.list).toEqual([c]);
  locks.observe(call("submitpackage", [spending(c)]), {});
  expect(locks.list).toEqual([]);
});

test.each([
  ["a funding without locks", call("fundrawtransaction", "00", { feeRate: 1 }), { hex: spending(a) }],
  ["a lock that bitcoind refused", call("lockunspent", false, [c]), false],
])("%s locks nothing", (_name, observed, result) => {
  const locks = new LockedOutputs();
  locks.observe(observed, result);
  expect(locks.list).toEqual([]);
});

test("unlocking without outputs releases all locks", () => {
  const locks = new LockedOutputs();
  locks.observe(call("lockunspent", false, [a, b]), true);
  locks.unlock(undefined);
  expect(locks.list).toEqual([]);
});

test("another bitcoind unlocks what Eclair has not locked, and locks the rest", () => {
  const locks = new LockedOutputs();
  locks.observe(call("lockunspent", false, [a, b]), true);
  expect(locks.differencesFrom([b, c], [])).toEqual({ unlock: [c], lock: [a] });
  expect(locks.differencesFrom([], [b, c])).toEqual({ unlock: [], lock: [a, b, c] });
  expect(locks.differencesFrom([c], [c])).toEqual({ unlock: [], lock: [a, b] });
});
