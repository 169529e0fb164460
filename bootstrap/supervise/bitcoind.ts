import { z } from "zod";
import { messageOf } from "../failure.ts";
import type { Bitcoind } from "./observation.ts";
import { WarmingUp, type Rpc } from "./rpc.ts";
import type { NodeWallet } from "./wallet.ts";

const ChainInfo = z.object({
  chain: z.string(),
  blocks: z.int(),
  headers: z.int(),
  initialblockdownload: z.boolean(),
  verificationprogress: z.number(),
});

/** Eclair's Setup refuses a bitcoind that is further behind. */
const leastProgress = 0.999;
const mostBehind = 1;

/** A wallet that makes trouble does not make bitcoind silent. */
async function prepared(wallet: NodeWallet): Promise<true | string> {
  try {
    return await wallet.prepare();
  } catch (error) {
    return `the wallet can't be prepared: ${messageOf(error)}`;
  }
}

/** Looks at bitcoind, and prepares the node's wallet there. */
export async function lookAtBitcoind(rpc: Rpc, wallet: NodeWallet): Promise<Bitcoind> {
  try {
    const info = ChainInfo.parse(await rpc("getblockchaininfo"));
    const { chain, blocks, headers } = info;
    const synced =
      !info.initialblockdownload &&
      info.verificationprogress > leastProgress &&
      headers - blocks <= mostBehind;
    return { seen: true, chain, blocks, headers, synced, wallet: await prepared(wallet) };
  } catch (error) {
    const why = `bitcoind does not answer: ${messageOf(error)}`;
    return { seen: false, why, ...(error instanceof WarmingUp && { warmingUp: true }) };
  }
}
