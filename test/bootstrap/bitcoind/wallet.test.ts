import { setImmediate as callbacks } from "node:timers/promises";
import { expect, test } from "vitest";
import { RpcError, type BitcoindClient } from "../../../bootstrap/bitcoind/rpc/client.ts";
import { NodeWallet } from "../../../bootstrap/bitcoind/wallet.ts";

const watched = {
  birthday: 1_700_000_000,
  descriptors: [
    { text: "wpkh([aa/84h/1h/0h]tpub/0/*)", internal: false },
    { text: "wpkh([aa/84h/1h/0h]tpub/1/*)", internal: true },
  ],
};

const texts = watched.descriptors.map(({ text }) => text);

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
const listed = (known: readonly string[], next = 0, active = true, end = 1000) => ({
  descriptors: known.map((text) => ({ desc: `${text}#abcd1234`, active, range: [0, end], next_index: next })),
});
/** Answers of the same call, in turn; the last one is repeated. An Error is thrown. */
const inTurn = (...answers: readonly unknown[]) => {
  let count = 0;
  return () => {
    const answer = answers[Math.min(count++, answers.length - 1)];
    if (answer instanceof Error) throw answer;
    return answer;
  };
};
/** The requests of every import, in turn. */
const importsIn = (calls: readonly [method: string, params: unknown][]) =>
  calls.filter(([method]) => method === "importdescriptors").map(([, params]) => (params as [unknown[]])[0]);

test("a missing wallet is created watch-only, and its descriptors become active after the scan from the birthday on", async () => {
  const { client, calls } = bitcoind({
    listwallets: inTurn([], ["eclair"]),
    listwalletdir: { wallets: [] },
    createwallet: {},
    getwalletinfo: idle,
    // The scan finds addresses in use.
    listdescriptors: inTurn(listed([]), listed(texts, 7, false, 1007), listed(texts, 7, true, 1007)),
    getdescriptorinfo: { checksum: "qqqqqqqq" },
    importdescriptors: [{ success: true }, { success: true }],
  });
  const wallet = new NodeWallet("eclair", watched, client);
  expect(await wallet.prepare([3, 9])).toEqual({
    ready: false,
    reason: "the wallet eclair imports its descriptors",
  });
  await callbacks();
  expect(new Map(calls).get("createwallet")).toEqual({
    wallet_name: "eclair",
    disable_private_keys: true,
    blank: true,
  });
  const [receiving, change] = [
    { desc: "wpkh([aa/84h/1h/0h]tpub/0/*)#qqqqqqqq", internal: false },
    { desc: "wpkh([aa/84h/1h/0h]tpub/1/*)#qqqqqqqq", internal: true },
  ];
  const scan = { active: false, timestamp: 1_700_000_000 };
  const activation = { active: true, timestamp: "now" };
  expect(importsIn(calls)).toEqual([
    [
      { ...receiving, ...scan, range: [0, 1003], next_index: 3 },
      { ...change, ...scan, range: [0, 1009], next_index: 9 },
    ],
    [
      { ...receiving, ...activation, range: [0, 1007], next_index: 7 },
      { ...change, ...activation, range: [0, 1009], next_index: 9 },
    ],
  ]);
  expect(await wallet.prepare()).toEqual({ ready: true });
  expect(importsIn(calls)).toHaveLength(2);
});

test.each([
  ["the scan fails", [{ success: false, error: { message: "Rescan failed" } }]],
  ["the scan is aborted", new RpcError(-1, "importdescriptors: Rescan aborted by user.")],
  ["bitcoind ends, and the next one does not scan", new Error("socket hang up")],
])("when %s, the descriptors stay inactive, and the next call scans again", async (_title, failure) => {
  const { client, calls } = bitcoind({
    listwallets: ["eclair"],
    getwalletinfo: idle,
    listdescriptors: inTurn(listed(texts, 0, false), listed(texts, 5, false, 1005)),
    getdescriptorinfo: { checksum: "qqqqqqqq" },
    importdescriptors: inTurn(failure, [{ success: true }]),
  });
  const wallet = new NodeWallet("eclair", watched, client);
  await wallet.prepare();
  await callbacks();
  const inactive = { active: false, timestamp: 1_700_000_000 };
  expect(importsIn(calls)).toMatchObject([[inactive, inactive]]);
  await wallet.prepare();
  await callbacks();
  const again = { ...inactive, range: [0, 1005], next_index: 5 };
  expect(importsIn(calls).slice(1)).toMatchObject([
    [again, again],
    [{ active: true }, { active: true }],
  ]);
});

test.each([
  ["has ended", 0.99, [false, true]],
  ["was aborted", 0.5, [false]],
])(
  "a scan whose call loses its connection and that %s: only its end makes the descriptors active",
  async (_title, progress, active) => {
    const { client, calls } = bitcoind({
      listwallets: ["eclair"],
      getwalletinfo: inTurn(idle, { ...idle, scanning: { progress } }, idle),
      listdescriptors: listed(texts, 0, false),
      getdescriptorinfo: { checksum: "qqqqqqqq" },
      importdescriptors: inTurn(new Error("socket hang up"), [{ success: true }]),
    });
    await new NodeWallet("eclair", watched, client).prepare();
    const waits = () => calls.filter(([method]) => method === "getwalletinfo").length;
    await expect.poll(waits, { timeout: 5_000 }).toBe(3);
    await expect
      .poll(() => importsIn(calls))
      .toMatchObject(active.map((one) => [{ active: one }, { active: one }]));
  },
);

test("a wallet that an import uses is not loaded again, so that the import notices a restart of bitcoind", async () => {
  const { client, calls } = bitcoind({
    listwallets: inTurn(["eclair"], []),
    getwalletinfo: inTurn(idle, new RpcError(-18, "getwalletinfo: the wallet is not loaded")),
    listdescriptors: listed([]),
    getdescriptorinfo: { checksum: "qqqqqqqq" },
    importdescriptors: () => new Promise(() => undefined),
  });
  const wallet = new NodeWallet("eclair", watched, client);
  await wallet.prepare();
  await expect(wallet.prepare()).rejects.toThrow(/not loaded/);
  expect(calls.map(([method]) => method)).not.toContain("loadwallet");
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
])(
  "a wallet that %s is not ready and stays unchanged",
  async (_title, getwalletinfo, listedTexts, reason) => {
    const { client } = bitcoind({
      listwallets: ["eclair"],
      getwalletinfo,
      listdescriptors: listed(listedTexts),
    });
    expect(await new NodeWallet("eclair", watched, client).prepare()).toEqual({
      ready: false,
      reason: expect.stringMatching(reason) as string,
    });
  },
);

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
  await callbacks();
  return { report, imports: importsIn(calls), nextAddresses: wallet.nextAddresses };
}

test("the range follows the addresses that other bitcoinds have issued", async () => {
  expect(await refill([500, 0], 3)).toEqual({
    report: { ready: true },
    imports: [],
    nextAddresses: [3, 3],
  });
  expect(await refill([501, 0], 3)).toMatchObject({
    report: { ready: true },
    imports: [
      [
        {
          ...{ desc: `${texts[0]}#qqqqqqqq`, active: true, timestamp: "now" },
          ...{ range: [0, 1501], next_index: 501 },
        },
      ],
    ],
  });
});

test("an address beyond the range may have received coins, so the chain is scanned from the birthday on", async () => {
  const extended = { internal: true, range: [0, 2001], next_index: 1001 };
  expect(await refill([0, 1001], 3)).toMatchObject({
    report: { ready: false },
    imports: [
      [{ ...extended, active: false, timestamp: 1_700_000_000 }],
      [{ ...extended, active: true, timestamp: "now" }],
    ],
  });
});
