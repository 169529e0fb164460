import { z } from "zod";
import { bitcoindNameOf } from "../../contract/chain/latest.ts";
import type { Chain } from "../../contract/configuration/node.ts";
import { bitcoinVersionOf, minimumBitcoinVersion } from "../../contract/eclair/bitcoin-versions.ts";
import { compareVersions } from "../../contract/eclair/versions.ts";
import type { BitcoindReport, BlockId } from "../../contract/reports/bitcoind.ts";
import { messageOf } from "../../contract/errors.ts";
import { RpcError, type BitcoindClient } from "../rpc/client.ts";
import type { NodeWallet } from "../wallet.ts";

type ChainFacts = {
  readonly genesis: string;
  /** A transaction that Eclair itself requests at its start (`chainCheckTx` in its Setup): it needs the chain and txindex. */
  readonly checkTransaction?: string;
  /** Whether Eclair requires fee estimates (`feeProvider` in its Setup). */
  readonly needsFees: boolean;
};

const chainFacts: Readonly<Record<Chain, ChainFacts>> = {
  mainnet: {
    genesis: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    checkTransaction: "2157b554dcfda405233906e461ee593875ae4b1b97615872db6a25130ecc1dd6",
    needsFees: true,
  },
  testnet: {
    genesis: "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
    checkTransaction: "8f38a0dd41dc0ae7509081e262d791f8d53ed6f884323796d5ec7b0966dd3825",
    needsFees: true,
  },
  testnet4: {
    genesis: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
    checkTransaction: "5c50d460b3b98ea0c70baa0f50d1f0cc6ffa553788b4a7e23918bcdd558828fa",
    needsFees: true,
  },
  signet: {
    genesis: "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
    needsFees: false,
  },
  regtest: {
    genesis: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
    needsFees: false,
  },
};

/** Eclair's `Setup` refuses a bitcoind that is further behind. */
const minimumProgress = 0.999;
const maximumLag = 1;
const feeTargetBlocks = 6;

const ChainInfo = z.object({
  chain: z.string(),
  blocks: z.int(),
  headers: z.int(),
  bestblockhash: z.string(),
  chainwork: z.string().regex(/^[0-9a-f]+$/),
  time: z.int().optional(),
  initialblockdownload: z.boolean(),
  verificationprogress: z.number(),
});
const NetworkInfo = z.object({ version: z.int(), connections: z.int() });
const IndexInfo = z.object({ txindex: z.object({ synced: z.boolean() }).optional() });
const FeeEstimate = z.object({ feerate: z.number().optional() });

type Known = Extract<BitcoindReport, { known: true }>;
/** What a bitcoind answered to all questions. */
export type Examination = {
  readonly report: Readonly<Known> & { readonly chainwork: string; readonly bestBlockHash: string };
  /** Why Eclair cannot use this bitcoind. */
  readonly problem: string | undefined;
  /** Whether the name of its chain and its first block are the right ones. */
  readonly isOnChain: boolean;
  /** Whether it has another block in place of the settled block, or too few blocks to have one. */
  readonly lacksSettledBlock: boolean;
};

type Expectations = {
  readonly chain: Chain;
  readonly eclairVersion: string;
  /** A block that is deep in the node's chain; undefined while no bitcoind was chosen. */
  readonly settled: BlockId | undefined;
  /** For each descriptor, the number of addresses that any bitcoind of the node has issued. */
  readonly issued: readonly number[];
};

/**
 * Asks a bitcoind for everything that decides whether Eclair can use it, and prepares the node's wallet there.
 * @throws WarmingUp, Error when bitcoind does not answer
 */
export async function examine(
  client: BitcoindClient,
  wallet: NodeWallet,
  { chain, eclairVersion, settled, issued }: Expectations,
): Promise<Examination> {
  const expected = chainFacts[chain];
  const info = ChainInfo.parse(await client("getblockchaininfo"));
  const { version, connections } = NetworkInfo.parse(await client("getnetworkinfo"));
  const { blocks, headers, time } = info;
  const synced =
    !info.initialblockdownload &&
    info.verificationprogress > minimumProgress &&
    headers - blocks <= maximumLag;
  const expectedName = bitcoindNameOf(chain);
  const isExpectedChain = info.chain === expectedName;
  const walletReport = isExpectedChain
    ? await prepareWallet(wallet, issued)
    : ({ ready: false, reason: "the wallet is not prepared on another chain" } as const);
  const report: Examination["report"] = {
    known: true,
    ...{ chain: info.chain, blocks, headers },
    ...(time !== undefined && { tipTime: time }),
    ...{ chainwork: info.chainwork, bestBlockHash: info.bestblockhash, peers: connections },
    nextAddresses: [...wallet.nextAddresses],
    synced,
    wallet: walletReport,
  };
  const isOnChain = isExpectedChain && (await client("getblockhash", [0])) === expected.genesis;
  const isShort = settled !== undefined && settled.height > blocks;
  const fork = isOnChain && settled !== undefined && !isShort ? await forkOf(client, settled) : undefined;
  return { report, problem: await problemOf(), isOnChain, lacksSettledBlock: isShort || fork !== undefined };

  async function problemOf(): Promise<string | undefined> {
    if (!isExpectedChain) return `is on the chain ${info.chain}, not on ${expectedName}`;
    if (!isOnChain) return "is on another chain: it has another genesis block";
    const tooOld = tooOldFor(eclairVersion, bitcoinVersionOf(version));
    if (tooOld !== undefined) return tooOld;
    if (fork !== undefined) return fork;
    if (!synced) return `is syncing: block ${blocks} of ${headers}`;
    if (isShort) return `is at block ${blocks}, and the chain of the node has the block ${settled.height}`;
    const { txindex } = IndexInfo.parse(await client("getindexinfo", ["txindex"]));
    if (txindex === undefined) return "has no txindex";
    if (!txindex.synced) return "builds its txindex";
    if (expected.checkTransaction !== undefined && !(await hasTransaction(client, expected.checkTransaction)))
      return `does not know the transaction ${expected.checkTransaction}: its txindex is incomplete, or it is on another chain`;
    if (expected.needsFees) {
      const { feerate } = FeeEstimate.parse(await client("estimatesmartfee", [feeTargetBlocks]));
      if (feerate === undefined) return "has no fee estimates yet";
    }
    return walletReport.ready ? undefined : `is not ready: ${walletReport.reason}`;
  }
}

/** Why a bitcoind is too old for an Eclair; undefined when Eclair accepts it. */
function tooOldFor(eclair: string, version: string): string | undefined {
  const minimum = minimumBitcoinVersion(eclair);
  return minimum === undefined || compareVersions(version, minimum) >= 0
    ? undefined
    : `has the version ${version}: Eclair ${eclair} requires Bitcoin Core ${minimum} or later`;
}

/** How the chain of a bitcoind differs from the chain of the settled block; undefined when it contains this block. */
async function forkOf(client: BitcoindClient, settled: BlockId): Promise<string | undefined> {
  const { hash } = await blockAt(client, settled.height);
  return hash === settled.hash
    ? undefined
    : `is on another chain: its block ${settled.height} is ${hash}, and the block of the node is ${settled.hash}`;
}

/** The block with a height in the chain of a bitcoind. */
export async function blockAt(client: BitcoindClient, height: number): Promise<BlockId> {
  return { height, hash: z.string().parse(await client("getblockhash", [height])) };
}

async function hasTransaction(client: BitcoindClient, txid: string): Promise<boolean> {
  try {
    await client("getrawtransaction", [txid]);
    return true;
  } catch (error) {
    if (error instanceof RpcError) return false;
    throw error;
  }
}

/** A problem with the wallet does not hide the state of bitcoind. */
async function prepareWallet(
  wallet: NodeWallet,
  issued: readonly number[],
): Promise<Awaited<ReturnType<NodeWallet["prepare"]>>> {
  try {
    return await wallet.prepare(issued);
  } catch (error) {
    return { ready: false, reason: `the wallet cannot be prepared: ${messageOf(error)}` };
  }
}
