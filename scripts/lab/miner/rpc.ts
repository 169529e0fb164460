import { bitcoindClient } from "../../../bootstrap/bitcoind/client.ts";
import { services } from "../addresses.ts";

export const rpcPort = 18443;

/** The RPC of the miner is reachable only inside the lab's namespace, so the password protects nothing. */
export const rpcCredentials = { username: "lab", password: "lab" } as const;

/** A client inside the lab's network namespace. */
export const minerRpc = bitcoindClient(`http://${services.miner}:${rpcPort}`, rpcCredentials);

/** `raw(51)`: an output that anyone can spend. Mining to it needs no wallet, and regtest coins have no value. */
export const anyoneDescriptor = "raw(51)#8lvh9jxk";
