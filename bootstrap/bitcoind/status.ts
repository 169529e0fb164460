import { z } from "zod";
import { messageOf } from "../contract/errors.ts";
import type { BitcoindReport } from "../contract/reports/instance.ts";
import { WarmingUp, type BitcoindClient } from "./client.ts";
import type { NodeWallet } from "./wallet.ts";

const ChainInfo = z.object({
  chain: z.string(),
  blocks: z.int(),
  headers: z.int(),
  time: z.int().optional(),
  initialblockdownload: z.boolean(),
  verificationprogress: z.number(),
});

/** Eclair's `Setup` refuses a bitcoind that is further behind. */
const minimumProgress = 0.999;
const maximumLag = 1;

/** A problem with the wallet does not hide the state of bitcoind. */
async function prepareWallet(wallet: NodeWallet): Promise<Awaited<ReturnType<NodeWallet["prepare"]>>> {
  try {
    return await wallet.prepare();
  } catch (error) {
    return { ready: false, reason: `the wallet cannot be prepared: ${messageOf(error)}` };
  }
}

/** Prepares the node's wallet in bitcoind, and reads the state of bitcoind. */
export async function prepareBitcoind(client: BitcoindClient, wallet: NodeWallet): Promise<BitcoindReport> {
  try {
    const info = ChainInfo.parse(await client("getblockchaininfo"));
    const { chain, blocks, headers, time } = info;
    const synced =
      !info.initialblockdownload &&
      info.verificationprogress > minimumProgress &&
      headers - blocks <= maximumLag;
    return {
      known: true,
      ...{ chain, blocks, headers },
      ...(time !== undefined && { tipTime: time }),
      synced,
      wallet: await prepareWallet(wallet),
    };
  } catch (error) {
    const reason = `bitcoind does not answer: ${messageOf(error)}`;
    return { known: false, reason, ...(error instanceof WarmingUp && { warmingUp: true }) };
  }
}
