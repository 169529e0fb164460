import { z } from "zod";
import { RpcError, type BitcoindClient } from "../bitcoind/rpc/client.ts";
import { describeChain, IncompleteIndex } from "../bitcoind/describe.ts";
import { messageOf } from "../contract/errors.ts";
import type { ChainVerificationResult } from "../contract/reports/chain-verification.ts";
import type { ChainFacts } from "../contract/requests/chain-snapshot.ts";

/** The blocks whose last transaction must be in the index, spread over the chain. */
const sampledBlocks = 200;
/** bitcoind checks its last blocks against its chainstate. */
const checkedBlocks = 6;
const checkLevel = 3;
const longMilliseconds = 2 * 3600 * 1000;

/** A volume from a snapshot loads each block from S3 when bitcoind reads it first. */
const slow = { milliseconds: 600_000 } as const;

const Block = z.object({ tx: z.array(z.string()).min(1) });

export type Verification = Pick<ChainVerificationResult, "problems" | "failure" | "transactions">;

/**
 * Compares the chain of a bitcoind without peers with what the tags of its snapshot state.
 * @param random a number from 0 to 1
 * @throws an error that says nothing about the chain, such as no answer, when there is no problem otherwise
 */
export async function verifyChain(
  client: BitcoindClient,
  expected: ChainFacts,
  random: () => number,
): Promise<Verification> {
  const problems: string[] = [];
  let transactions = 0;
  try {
    const found = await describeChain(client);
    for (const key of ["chain", "height", "blockHash", "muhash"] as const)
      if (found[key] !== expected[key])
        problems.push(`${key} is ${found[key]}, and the snapshot states ${expected[key]}`);
    for (const index of expected.indexes)
      if (!found.indexes.includes(index)) problems.push(`bitcoind has no ${index}`);
    if (problems.length > 0) return { problems, transactions };
    for (const height of sampleOf(found.height, random)) {
      const missing = await missingTransaction(client, height);
      if (missing === undefined) transactions += 1;
      else problems.push(missing);
    }
    const isConsistent = await client("verifychain", [checkLevel, checkedBlocks], {
      milliseconds: longMilliseconds,
    });
    if (isConsistent !== true) problems.push(`the last ${checkedBlocks} blocks do not match the chainstate`);
  } catch (error) {
    if (problems.length === 0 && !concernsChain(error)) throw error;
    problems.push(`bitcoind cannot read the chain: ${messageOf(error)}`);
  }
  return { problems, transactions };
}

/** An error that bitcoind answers, unless it cannot read the volume or is shutting down. */
function concernsChain(error: unknown): boolean {
  if (error instanceof IncompleteIndex) return true;
  return error instanceof RpcError && !/IO error|Shutting down/.test(error.message);
}

/**
 * bitcoind builds the missing part of an index from the blocks (`BaseIndex::Sync` logs this line). After a clean end, nothing is
 * missing.
 * @param log of a bitcoind without peers, from its start
 */
export function rebuiltIndexes(log: string): string[] {
  const found = log.matchAll(/Syncing (\w+) with block chain from height (\d+)/g);
  return [...found].map(
    ([, index, height]) => `${index} was incomplete: bitcoind built it again from block ${height}`,
  );
}

/** The first block after the genesis block, the last one, and random ones. */
function sampleOf(height: number, random: () => number): readonly number[] {
  if (height < 1) return [];
  const sample = new Set([1, height]);
  for (let count = 0; count < sampledBlocks; count += 1) sample.add(1 + Math.floor(random() * height));
  return [...sample];
}

/** Reads the last transaction of a block by its id alone, which needs the index. */
async function missingTransaction(client: BitcoindClient, height: number): Promise<string | undefined> {
  const hash = await client("getblockhash", [height], slow);
  const { tx } = Block.parse(await client("getblock", [hash, 1], slow));
  const txid = tx.at(-1);
  try {
    await client("getrawtransaction", [txid], slow);
    return undefined;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return `txindex has no transaction of block ${height}: ${messageOf(error)}`;
  }
}
