import { expect, test } from "vitest";
import { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";
import type { BitcoindClient } from "../../../bootstrap/bitcoind/client.ts";
import { NodeWallet } from "../../../bootstrap/bitcoind/wallet.ts";
import { smallest } from "../../support/configuration.ts";

const configuration = NodeConfiguration.parse(smallest);
const watched = {
  birthday: 1_700_000_000,
  descriptors: [
    { text: "wpkh([aa/84h/1h/0h]tpub/0/*)", internal: false },
    { text: "wpkh([aa/84h/1h/0h]tpub/1/*)", internal: true },
  ],
};

/** A bitcoind with these answers, and its calls. It throws on an unexpected call. */
function bitcoind(answers: Readonly<Record<string, unknown>>) {
  const calls: [method: string, params: unknown][] = [];
  const client: BitcoindClient = async (method, params = []) => {
    calls.push([method, params]);
    if (!Object.hasOwn(answers, method)) throw new Error(`unexpected call of ${method}`);
    const answer = answers[method];
    return typeof answer === "function" ? (answer as (params: unknown) => unknown)(params) : answer;
  };
  return { client, calls };
}

const idle = { private_keys_enabled: false, scanning: false };
const listed = (texts: readonly string[]) => ({
  descriptors: texts.map((text) => ({ desc: `${text}#abcd1234` })),
});

test("a missing wallet is created watch-only, and its descriptors are imported from the birthday on", async () => {
  const { client, calls } = bitcoind({
    listwallets: [],
    listwalletdir: { wallets: [] },
    createwallet: {},
    getwalletinfo: idle,
    listdescriptors: listed([]),
    getdescriptorinfo: { checksum: "qqqqqqqq" },
    importdescriptors: [{ success: true }, { success: true }],
  });
  const wallet = new NodeWallet(configuration, watched, client);
  expect(await wallet.prepare()).toEqual({
    ready: false,
    reason: "the wallet eclair imports its descriptors",
  });
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

test("a wallet on the disk is loaded, and is ready when it has the descriptors in any notation", async () => {
  const { client, calls } = bitcoind({
    listwallets: ["other"],
    listwalletdir: { wallets: [{ name: "eclair" }] },
    loadwallet: {},
    getwalletinfo: idle,
    listdescriptors: listed(
      watched.descriptors.map(({ text }) => text.replaceAll("h/", "'/").replace("h]", "']")),
    ),
  });
  expect(await new NodeWallet(configuration, watched, client).prepare()).toEqual({ ready: true });
  expect(calls.find(([method]) => method === "loadwallet")).toEqual(["loadwallet", ["eclair"]]);
});

test.each([
  ["holds private keys", { ...idle, private_keys_enabled: true }, [], /holds private keys/],
  ["belongs to another on-chain secret", idle, ["wpkh(other)"], /belongs to another on-chain secret/],
  ["scans the chain", { ...idle, scanning: { progress: 0.421 } }, [], /scans the chain: 42 %/],
])("a wallet that %s is not ready and stays unchanged", async (_title, getwalletinfo, texts, reason) => {
  const { client } = bitcoind({ listwallets: ["eclair"], getwalletinfo, listdescriptors: listed(texts) });
  expect(await new NodeWallet(configuration, watched, client).prepare()).toEqual({
    ready: false,
    reason: expect.stringMatching(reason) as string,
  });
});

test("without an on-chain secret, on regtest, bitcoind's wallet holds the keys", async () => {
  const { client, calls } = bitcoind({
    listwallets: [],
    listwalletdir: { wallets: [] },
    createwallet: {},
    getwalletinfo: { ...idle, private_keys_enabled: true },
  });
  expect(await new NodeWallet(configuration, undefined, client).prepare()).toEqual({ ready: true });
  expect(new Map(calls).get("createwallet")).toEqual({
    wallet_name: "eclair",
    disable_private_keys: false,
    blank: false,
  });
});
