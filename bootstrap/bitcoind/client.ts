import type { NodeConfiguration } from "../contract/configuration/node.ts";
import { ports } from "../contract/ports.ts";

const defaultMilliseconds = 3_000;
/** bitcoind's RPC_IN_WARMUP. */
const inWarmUp = -28;

/** bitcoind answers, and is not ready: it loads its block index, or replays blocks. */
export class WarmingUp extends Error {}

export type RpcCredentials = { readonly username: string; readonly password: string };

/**
 * Calls bitcoind's JSON-RPC, or the RPC of one of its wallets.
 * @throws WarmingUp while bitcoind starts, Error with bitcoind's message otherwise
 */
export type BitcoindClient = (
  method: string,
  params?: readonly unknown[] | Readonly<Record<string, unknown>>,
  options?: { readonly wallet?: string; readonly milliseconds?: number },
) => Promise<unknown>;

/** @param url of the RPC interface, such as `http://127.0.0.1:8332` */
export function bitcoindClient(url: string, { username, password }: RpcCredentials): BitcoindClient {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  return async (method, params = [], { wallet, milliseconds = defaultMilliseconds } = {}) => {
    const response = await fetch(wallet === undefined ? `${url}/` : `${url}/wallet/${wallet}`, {
      method: "POST",
      headers: { authorization },
      body: JSON.stringify({ jsonrpc: "1.0", id: "eclair-ami", method, params }),
      signal: AbortSignal.timeout(milliseconds),
    });
    if (response.status === 401 || response.status === 403)
      throw new Error(`bitcoind does not permit ${method} to the user ${username}`);
    const answer = (await response.json()) as {
      result: unknown;
      error: { code: number; message: string } | null;
    };
    if (answer.error === null) return answer.result;
    const { code, message } = answer.error;
    if (code === inWarmUp) throw new WarmingUp(`bitcoind starts: ${message}`);
    throw new Error(`${method}: ${message}`);
  };
}

/** The URL of the bitcoind that a node uses. */
export function bitcoindUrl({ bitcoind: { remote } }: NodeConfiguration): string {
  return `http://${remote?.host ?? "127.0.0.1"}:${remote?.rpcPort ?? ports.bitcoindRpc}`;
}
