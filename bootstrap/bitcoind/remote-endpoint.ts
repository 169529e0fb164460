import type { NodeConfiguration } from "../contract/configuration/node.ts";
import type { Credentials } from "../secrets/shapes.ts";
import type { BitcoindEndpoint } from "./gate/messages.ts";

export type RemoteBitcoind = NodeConfiguration["bitcoind"]["remotes"][number];

/** How to reach a bitcoind on another host. Eclair's calls and those of the gate have one login there. */
export const remoteEndpoint = (
  { host, rpcPort, zmqBlock, zmqTx, tls, ca }: RemoteBitcoind,
  login: Credentials,
): BitcoindEndpoint => ({
  ...{ name: `${host}:${rpcPort}`, host, rpcPort, zmqBlock, zmqTx },
  ...(tls === "on" && { tls: { ...(ca !== undefined && { ca }) } }),
  ...{ eclair: login, gate: login },
});
