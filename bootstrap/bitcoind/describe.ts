import { z } from "zod";
import { ChainFacts } from "../contract/requests/chain-snapshot.ts";
import type { BitcoindClient } from "./rpc/client.ts";

/** On mainnet, bitcoind reads the whole chainstate for its hash. */
const hashMilliseconds = 2 * 3600 * 1000;

const ChainInfo = z.object({ chain: z.string(), blocks: z.int(), bestblockhash: z.string() });
const NetworkInfo = z.object({ version: z.int() });
const IndexInfo = z.record(z.string(), z.object({ synced: z.boolean() }));
const OutputSet = z.object({ height: z.int(), bestblock: z.string(), muhash: z.string() });

/** bitcoind builds an index, because a part of the index is missing. */
export class IncompleteIndex extends Error {}

/**
 * Describes the chain of a bitcoind whose tip does not change.
 * @param client may call for hours
 * @throws IncompleteIndex, and the errors of the client
 */
export async function describeChain(client: BitcoindClient): Promise<ChainFacts> {
  const { chain, blocks, bestblockhash } = ChainInfo.parse(await client("getblockchaininfo"));
  const { version } = NetworkInfo.parse(await client("getnetworkinfo"));
  const indexes = Object.entries(IndexInfo.parse(await client("getindexinfo")));
  const unsynced = indexes.find(([, { synced }]) => !synced);
  if (unsynced !== undefined) throw new IncompleteIndex(`bitcoind builds its ${unsynced[0]}`);
  const set = OutputSet.parse(
    await client("gettxoutsetinfo", ["muhash"], { milliseconds: hashMilliseconds }),
  );
  if (set.bestblock !== bestblockhash) throw new Error("the tip changed while bitcoind read its chainstate");
  return ChainFacts.parse({
    chain,
    height: blocks,
    blockHash: bestblockhash,
    bitcoindVersion: version,
    indexes: indexes.map(([name]) => name),
    muhash: set.muhash,
  });
}
