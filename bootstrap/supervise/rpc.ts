import type { NodeConfiguration } from "../config/node.ts";
import { localRpcPort } from "../render/node-files.ts";
import type { Credentials } from "../secrets/shapes.ts";

const callMilliseconds = 3_000;
/** bitcoind's RPC_IN_WARMUP. */
const inWarmUp = -28;

/** bitcoind answers, and is not ready yet: it loads its block index, or replays blocks. */
export class WarmingUp extends Error {}

/** One call of bitcoind's RPC interface, or of one of its wallets; an answer may take `milliseconds`. */
export type Rpc = (
  method: string,
  params?: readonly unknown[] | Readonly<Record<string, unknown>>,
  options?: { readonly wallet?: string; readonly milliseconds?: number },
) => Promise<unknown>;

export function bitcoindRpc({ bitcoind }: NodeConfiguration, { username, password }: Credentials): Rpc {
  const { remote } = bitcoind;
  const url = `http://${remote?.host ?? "127.0.0.1"}:${remote?.rpcPort ?? localRpcPort}`;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  return async (method, params = [], { wallet, milliseconds = callMilliseconds } = {}) => {
    const response = await fetch(wallet === undefined ? `${url}/` : `${url}/wallet/${wallet}`, {
      method: "POST",
      headers: { authorization },
      body: JSON.stringify({ jsonrpc: "1.0", id: "supervisor", method, params }),
      signal: AbortSignal.timeout(milliseconds),
    });
    if (response.status === 401 || response.status === 403)
      throw new Error(`${method} is not allowed to the supervisor`);
    const answer = (await response.json()) as {
      result: unknown;
      error: { code: number; message: string } | null;
    };
    if (answer.error === null) return answer.result;
    const { code, message } = answer.error;
    if (code === inWarmUp) throw new WarmingUp(`it is starting: ${message}`);
    throw new Error(message);
  };
}
