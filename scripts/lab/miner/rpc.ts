import { bitcoindClient, type BitcoindClient, type Post } from "../../../bootstrap/bitcoind/rpc/client.ts";
import { services } from "../addresses.ts";

export const rpcPort = 18443;

/** The RPC of the lab's bitcoinds is reachable only inside the lab's namespace, so the password protects nothing. */
export const rpcCredentials = { username: "lab", password: "lab" } as const;

/** A client of a bitcoind of the lab, inside the lab's network namespace. */
export const labRpc = (address: string): BitcoindClient =>
  bitcoindClient(postTo(`http://${address}:${rpcPort}`), rpcCredentials);
export const minerRpc = labRpc(services.miner);

/** `raw(51)`: an output that anyone can spend. Mining to it needs no wallet, and regtest coins have no value. */
export const anyoneDescriptor = "raw(51)#8lvh9jxk";

/** Sends requests to a URL such as `http://127.0.0.1:8332`, without TLS. */
function postTo(url: string): Post {
  return async (path, body, authorization, signal) => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { authorization },
      body,
      signal,
    });
    return { status: response.status, body: await response.text() };
  };
}
