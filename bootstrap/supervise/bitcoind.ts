import { z } from "zod";
import type { NodeConfiguration } from "../config/node.ts";
import { messageOf } from "../failure.ts";
import { localRpcPort } from "../render/node-files.ts";
import type { Credentials } from "../secrets/shapes.ts";
import type { Bitcoind } from "./observation.ts";

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
const callMilliseconds = 3_000;
/** bitcoind: "Requested wallet does not exist or is not loaded", "Wallet already loading". */
const stillStarting = -28;

/** Looks at bitcoind and loads the node's wallet there. */
export class BitcoindObserver {
  private readonly configuration: NodeConfiguration;
  private readonly login: Credentials;
  private readonly url: string;

  constructor(configuration: NodeConfiguration, login: Credentials) {
    this.configuration = configuration;
    this.login = login;
    const { remote } = configuration.bitcoind;
    this.url = `http://${remote?.host ?? "127.0.0.1"}:${remote?.rpcPort ?? localRpcPort}/`;
  }

  async look(): Promise<Bitcoind> {
    try {
      const info = ChainInfo.parse(await this.call("getblockchaininfo"));
      const { chain, blocks, headers } = info;
      const synced =
        !info.initialblockdownload &&
        info.verificationprogress > leastProgress &&
        headers - blocks <= mostBehind;
      return { seen: true, chain, blocks, headers, synced, wallet: await this.wallet() };
    } catch (error) {
      return { seen: false, why: `bitcoind does not answer: ${messageOf(error)}` };
    }
  }

  /** Loads the wallet when it isn't; on regtest, where coins are worth nothing, it is made as well. */
  private async wallet(): Promise<true | string> {
    const { chain, bitcoind } = this.configuration;
    const name = bitcoind.wallet;
    const loaded = z.array(z.string()).parse(await this.call("listwallets"));
    if (loaded.includes(name)) return true;
    if (bitcoind.remote !== undefined) return `the wallet ${name} is not loaded in bitcoind`;
    const { wallets } = z
      .object({ wallets: z.array(z.object({ name: z.string() })) })
      .parse(await this.call("listwalletdir"));
    if (wallets.some((wallet) => wallet.name === name)) await this.call("loadwallet", name);
    else if (chain === "regtest") await this.call("createwallet", name);
    else return `bitcoind has no wallet ${name}`;
    return true;
  }

  private async call(method: string, ...params: unknown[]): Promise<unknown> {
    const { username, password } = this.login;
    const response = await fetch(this.url, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` },
      body: JSON.stringify({ jsonrpc: "1.0", id: "supervisor", method, params }),
      signal: AbortSignal.timeout(callMilliseconds),
    });
    if (response.status === 401 || response.status === 403)
      throw new Error(`${method} is not allowed to the supervisor`);
    const answer = (await response.json()) as {
      result: unknown;
      error: { code: number; message: string } | null;
    };
    if (answer.error === null) return answer.result;
    throw new Error(
      answer.error.code === stillStarting ? `it is starting: ${answer.error.message}` : answer.error.message,
    );
  }
}
