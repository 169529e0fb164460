import { expect, test } from "vitest";
import { Broadcasts } from "../../../../../bootstrap/bitcoind/gate/wallet/broadcasts.ts";

const day = 24 * 3600;
/** A transaction that spends one output of another transaction. */
const transaction = (byte: string) =>
  `0200000001${byte.repeat(32)}0000000000ffffffff01e803000000000000015100000000`;
const broadcast = (hex: string) => ({ method: "sendrawtransaction", params: [hex] });
const [a, b, c] = [transaction("aa"), transaction("bb"), transaction("cc")];

test("forgets a transaction after two weeks, as bitcoind does, unless Eclair broadcasts it again", () => {
  const broadcasts = new Broadcasts();
  broadcasts.add(broadcast(a), 0);
  broadcasts.add(broadcast(b), 0);
  broadcasts.add(broadcast(a), 5 * day);
  broadcasts.add(broadcast(c), 14 * day);
  expect(broadcasts.list(14 * day).map(({ call }) => call)).toEqual([broadcast(a), broadcast(c)]);
  expect(broadcasts.list(19 * day).map(({ call }) => call)).toEqual([broadcast(c)]);
});
