import { expect, test } from "vitest";
import { RpcError, type BitcoindClient } from "../../../bootstrap/bitcoind/rpc/client.ts";
import { rebuiltIndexes, verifyChain } from "../../../bootstrap/chainverification/verify.ts";
import { chainFacts } from "../../support/chain-facts.ts";

/** A bitcoind with the chain of the facts, and with changed answers. */
function bitcoind(answers: Readonly<Record<string, unknown>> = {}): BitcoindClient {
  const { chain, height, blockHash, bitcoindVersion, muhash } = chainFacts;
  const normal: Readonly<Record<string, unknown>> = {
    getblockchaininfo: { chain, blocks: height, bestblockhash: blockHash },
    getnetworkinfo: { version: bitcoindVersion },
    getindexinfo: { txindex: { synced: true, best_block_height: height } },
    gettxoutsetinfo: { height, bestblock: blockHash, muhash },
    getblockhash: "00",
    getblock: { tx: ["coinbase", "last"] },
    getrawtransaction: "02",
    verifychain: true,
  };
  return (method) => {
    const answer = { ...normal, ...answers }[method];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
}
const middle = () => 0.5;

test("a chain that is as described has no problem", async () => {
  expect(await verifyChain(bitcoind(), chainFacts, middle)).toEqual({ problems: [], transactions: 3 });
});

test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
  [
    "another chainstate",
    { gettxoutsetinfo: { height: 100, bestblock: chainFacts.blockHash, muhash: "ef".repeat(32) } },
    /^muhash is efef.*, and the snapshot states cdcd/,
  ],
  [
    "another chain",
    { getblockchaininfo: { chain: "signet", blocks: 100, bestblockhash: chainFacts.blockHash } },
    /^chain is signet, and the snapshot states regtest$/,
  ],
  ["no txindex", { getindexinfo: {} }, /^bitcoind has no txindex$/],
  ["an incomplete txindex", { getindexinfo: { txindex: { synced: false } } }, /bitcoind builds its txindex/],
  [
    "a txindex without a transaction",
    { getrawtransaction: new RpcError(-5, "No such mempool or blockchain transaction") },
    /^txindex has no transaction of block 1: No such/,
  ],
  [
    "a chainstate that cannot be read",
    { gettxoutsetinfo: new RpcError(-32603, "Unable to read UTXO set") },
    /^bitcoind cannot read the chain: Unable to read UTXO set$/,
  ],
  ["blocks that do not match", { verifychain: false }, /^the last 6 blocks do not match the chainstate$/],
])("%s is a problem", async (_name, answers, problem) => {
  const { problems } = await verifyChain(bitcoind(answers), chainFacts, middle);
  expect(problems[0]).toMatch(problem);
});

test("a bitcoind that does not answer says nothing about the chain", async () => {
  const answers = { gettxoutsetinfo: new Error("no answer") };
  await expect(verifyChain(bitcoind(answers), chainFacts, middle)).rejects.toThrow("no answer");
  const unreadable = { gettxoutsetinfo: new RpcError(-1, "Fatal LevelDB error: IO error: 000005.ldb") };
  await expect(verifyChain(bitcoind(unreadable), chainFacts, middle)).rejects.toThrow("IO error");
});

test("a problem that was found remains when bitcoind does not answer later", async () => {
  const answers = { getrawtransaction: new RpcError(-5, "No such"), verifychain: new Error("no answer") };
  const { problems } = await verifyChain(bitcoind(answers), chainFacts, middle);
  expect(problems).toContain("txindex has no transaction of block 1: No such");
});

test("an index that bitcoind had to complete is a problem", () => {
  const log =
    "2026 txindex thread start\n2026 Syncing txindex with block chain from height 1\n2026 txindex is enabled at height 42\n";
  expect(rebuiltIndexes(log)).toEqual(["txindex was incomplete: bitcoind built it again from block 1"]);
  expect(rebuiltIndexes("2026 txindex thread start\n2026 txindex is enabled at height 42\n")).toEqual([]);
});
