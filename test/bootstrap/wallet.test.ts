import { expect, test } from "vitest";
import { NodeConfiguration } from "../../bootstrap/config/node.ts";
import type { Rpc } from "../../bootstrap/supervise/rpc.ts";
import { NodeWallet } from "../../bootstrap/supervise/wallet.ts";
import { smallest } from "../support/configuration.ts";

const configuration = NodeConfiguration.parse(smallest);
const watched = {
  birthday: 1_700_000_000,
  descriptors: [
    { text: "wpkh([aa/84h/1h/0h]tpub/0/*)", internal: false },
    { text: "wpkh([aa/84h/1h/0h]tpub/1/*)", internal: true },
  ],
};

/** A bitcoind that answers so, and throws on a call that nobody expected; what it was called with. */
function bitcoind(answers: Readonly<Record<string, unknown>>) {
  const calls: [method: string, params: unknown][] = [];
  const rpc: Rpc = async (method, params = []) => {
    calls.push([method, params]);
    if (!Object.hasOwn(answers, method)) throw new Error(`nobody expected ${method}`);
    const answer = answers[method];
    return typeof answer === "function" ? (answer as (given: unknown) => unknown)(params) : answer;
  };
  return { rpc, calls };
}

const calm = { private_keys_enabled: false, scanning: false };
const listed = (texts: readonly string[]) => ({
  descriptors: texts.map((text) => ({ desc: `${text}#abcd1234` })),
});

test("a wallet that isn't there is made watch-only, and gets the descriptors from the birthday on", async () => {
  const { rpc, calls } = bitcoind({
    listwallets: [],
    listwalletdir: { wallets: [] },
    createwallet: {},
    getwalletinfo: calm,
    listdescriptors: listed([]),
    getdescriptorinfo: { checksum: "qqqqqqqq" },
    importdescriptors: [{ success: true }, { success: true }],
  });
  const wallet = new NodeWallet(configuration, watched, rpc);
  expect(await wallet.prepare()).toBe("the wallet eclair is being made");
  await expect.poll(() => calls.some(([method]) => method === "importdescriptors")).toBe(true);
  const called = new Map(calls);
  expect(called.get("createwallet")).toEqual({
    wallet_name: "eclair",
    disable_private_keys: true,
    blank: true,
  });
  const [requests] = called.get("importdescriptors") as [{ desc: string }[]];
  expect(requests).toEqual([
    {
      desc: "wpkh([aa/84h/1h/0h]tpub/0/*)#qqqqqqqq",
      internal: false,
      active: true,
      timestamp: 1_700_000_000,
      range: 1000,
    },
    {
      desc: "wpkh([aa/84h/1h/0h]tpub/1/*)#qqqqqqqq",
      internal: true,
      active: true,
      timestamp: 1_700_000_000,
      range: 1000,
    },
  ]);
});

test("a wallet that is on the disk is loaded, and used when it has the descriptors, however they are written", async () => {
  const { rpc, calls } = bitcoind({
    listwallets: ["other"],
    listwalletdir: { wallets: [{ name: "eclair" }] },
    loadwallet: {},
    getwalletinfo: calm,
    listdescriptors: listed(
      watched.descriptors.map(({ text }) => text.replaceAll("h/", "'/").replace("h]", "']")),
    ),
  });
  expect(await new NodeWallet(configuration, watched, rpc).prepare()).toBe(true);
  expect(calls.find(([method]) => method === "loadwallet")).toEqual(["loadwallet", ["eclair"]]);
});

test.each([
  ["holds private keys", { ...calm, private_keys_enabled: true }, [], /holds private keys/],
  ["is of another secret", calm, ["wpkh(other)"], /is of another on-chain secret/],
  [
    "looks through the chain",
    { ...calm, scanning: { progress: 0.421 } },
    [],
    /looks through the chain: 42 %/,
  ],
])(
  "a wallet that %s is not used, and nothing about it is changed",
  async (_what, getwalletinfo, texts, reason) => {
    const { rpc } = bitcoind({ listwallets: ["eclair"], getwalletinfo, listdescriptors: listed(texts) });
    expect(await new NodeWallet(configuration, watched, rpc).prepare()).toMatch(reason);
  },
);

test("without an on-chain secret, on regtest, bitcoind's own keys are used", async () => {
  const { rpc, calls } = bitcoind({
    listwallets: [],
    listwalletdir: { wallets: [] },
    createwallet: {},
    getwalletinfo: { ...calm, private_keys_enabled: true },
  });
  expect(await new NodeWallet(configuration, undefined, rpc).prepare()).toBe(true);
  expect(new Map(calls).get("createwallet")).toEqual({
    wallet_name: "eclair",
    disable_private_keys: false,
    blank: false,
  });
});
