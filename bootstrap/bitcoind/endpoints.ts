import type { NodeConfiguration } from "../contract/configuration/node.ts";
import { ports } from "../contract/ports.ts";
import type { Credentials } from "../secrets/shapes.ts";
import type { BitcoindEndpoint } from "./gate/messages.ts";

export type RemoteBitcoind = NodeConfiguration["bitcoind"]["remotes"][number];

const loopback = "127.0.0.1";
/** The name of this host's bitcoind. */
export const localName = "local";

/** How to reach this host's bitcoind. */
export const localEndpoint = (logins: Pick<BitcoindEndpoint, "eclair" | "gate">): BitcoindEndpoint => ({
  ...{ name: localName, host: loopback, rpcPort: ports.bitcoindRpc },
  zmqBlock: `${loopback}:${ports.bitcoindZmqBlock}`,
  zmqTx: `${loopback}:${ports.bitcoindZmqTx}`,
  ...{ eclair: logins.eclair, gate: logins.gate },
});

/** How to reach a bitcoind on another host. Eclair's calls and those of the gate have one login there. */
export const remoteEndpoint = (
  { host, rpcPort, zmqBlock, zmqTx, tls, ca }: RemoteBitcoind,
  login: Credentials,
): BitcoindEndpoint => ({
  ...{ name: `${host}:${rpcPort}`, host, rpcPort, zmqBlock, zmqTx },
  ...(tls === "on" && { tls: { ...(ca !== undefined && { ca }) } }),
  ...{ eclair: login, gate: login },
});
