import { expect, test } from "vitest";
import type { BitcoindClient } from "../../../bootstrap/bitcoind/rpc/client.ts";
import { NodeWallet } from "../../../bootstrap/bitcoind/wallet.ts";

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
const listed = (texts: readonly string[], next = 0) => ({
  descriptors: texts.map((text) => ({ desc: `${text}#abcd1234`, range: [0, 1000], next_index: next })),
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
  const wallet = new NodeWallet("eclair", watched, client);
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
  expect(await new NodeWallet("eclair", watched, client).prepare()).toEqual({ ready: true });
  expect(calls.find(([method]) => method === "loadwallet")).toEqual(["loadwallet", ["eclair"]]);
});

test.each([
  ["holds private keys", { ...idle, private_keys_enabled: true }, [], /holds private keys/],
  ["belongs to another on-chain secret", idle, ["wpkh(other)"], /belongs to another on-chain secret/],
  ["scans the chain", { ...idle, scanning: { progress: 0.421 } }, [], /scans the chain: 42 %/],
])("a wallet that %s is not ready and stays unchanged", async (_title, getwalletinfo, texts, reason) => {
  const { client } = bitcoind({ listwallets: ["eclair"], getwalletinfo, listdescriptors: listed(texts) });
  expect(await new NodeWallet("eclair", watched, client).prepare()).toEqual({
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
  expect(await new NodeWallet("eclair", undefined, client).prepare()).toEqual({ ready: true });
  expect(new Map(calls).get("createwallet")).toEqual({
    wallet_name: "eclair",
    disable_private_keys: false,
    blank: false,
  });
});

const texts = watched.descriptors.map(({ text }) => text);
/** The import that follows addresses that another bitcoind has issued. */
async function refill(issued: readonly number[], next: number) {
  const { client, calls } = bitcoind({
    listwallets: ["eclair"],
    getwalletinfo: idle,
    listdescriptors: listed(texts, next),
    getdescriptorinfo: { checksum: "qqqqqqqq" },
    importdescriptors: [{ success: true }],
  });
  const wallet = new NodeWallet("eclair", watched, client);
  const report = await wallet.prepare(issued);
  await expect.poll(() => calls.at(-1)?.[0]).not.toBe("getdescriptorinfo");
  const requests = calls.find(([method]) => method === "importdescriptors")?.[1];
  return { report, requests, nextAddresses: wallet.nextAddresses };
}

test("the range follows the addresses that other bitcoinds have issued", async () => {
  expect(await refill([500, 0], 3)).toEqual({
    report: { ready: true },
    requests: undefined,
    nextAddresses: [3, 3],
  });
  expect(await refill([501, 0], 3)).toMatchObject({
    report: { ready: true },
    requests: [[{ desc: `${texts[0]}#qqqqqqqq`, timestamp: "now", range: [0, 1501], next_index: 501 }]],
  });
});

test("an address beyond the range may have received coins, so the chain is scanned from the birthday on", async () => {
  expect(await refill([0, 1001], 3)).toMatchObject({
    report: { ready: false },
    requests: [[{ timestamp: 1_700_000_000, range: [0, 2001], next_index: 1001, internal: true }]],
  });
});
