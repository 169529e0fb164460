import { services } from "../addresses.ts";

export const rpcPort = 18443;

/** The miner's RPC is bound to loopback inside the lab's namespace: these words keep nobody out. */
export const rpcUser = "lab";
export const rpcPassword = "lab";

/** One call of bitcoind's JSON-RPC. */
export async function rpc<T>(method: string, params: readonly unknown[] = []): Promise<T> {
  const response = await fetch(`http://${services.miner}:${rpcPort}/`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${rpcUser}:${rpcPassword}`).toString("base64")}` },
    body: JSON.stringify({ jsonrpc: "2.0", id: "lab", method, params }),
    signal: AbortSignal.timeout(30_000),
  });
  const answer = (await response.json()) as { result: T; error: { message: string } | null };
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}
