import { availableParallelism } from "node:os";
import { rpcUsers } from "../bitcoind/rpc/rpc-users.ts";
import type { NodeConfiguration } from "../contract/configuration/node.ts";
import { ports } from "../contract/ports.ts";
import { armedTimeoutSeconds, jdbcDatabase } from "../database/url.ts";
import type { BitcoindLogins, NodeSecrets } from "../secrets/resolve.ts";
import { networks } from "./networks.ts";
import { fillTemplate } from "./template.ts";

/**
 * `PgChannelsDb.removeChannel` holds a connection while it waits for a second one. Akka runs it on 8 to 64 threads, by the
 * number of processors (akka-actor's reference.conf, `default-dispatcher`). The renewal of the lease needs another connection.
 */
const poolSize = (processors: number): number => 2 * Math.min(64, Math.max(8, processors)) + 4;

/** The secrets in eclair.conf. */
type EclairSecrets = Pick<NodeSecrets, "database" | "apiPassword"> & {
  readonly bitcoind: Pick<BitcoindLogins, "eclair">;
};

export function eclairConf(
  { chain, alias, color, publicAddresses, bitcoind, database, door, eclair }: NodeConfiguration,
  secrets: EclairSecrets,
  template: string,
  processors = availableParallelism(),
): string {
  return fillTemplate(template, {
    chain,
    alias,
    color,
    publicAddresses,
    hasDoor: door === "on",
    apiPassword: secrets.apiPassword,
    bitcoind: {
      rpcPort: ports.bitcoindGateRpc,
      ...secrets.bitcoind.eclair,
      wallet: bitcoind.wallet,
      zmq: `tcp://127.0.0.1:${ports.bitcoindGateZmq}`,
    },
    database: {
      ...database,
      ...secrets.database,
      name: jdbcDatabase(database.name),
      armedTimeoutSeconds,
      connections: poolSize(processors),
    },
    settings: Object.entries(eclair.settings).map(([name, value]) => ({ name, value })),
  });
}

export function bitcoinConf(
  { chain, bitcoind }: NodeConfiguration,
  secrets: NodeSecrets,
  template: string,
): string {
  return fillTemplate(template, {
    ...networks[chain],
    rpcPort: ports.bitcoindRpc,
    zmqBlock: `tcp://127.0.0.1:${ports.bitcoindZmqBlock}`,
    zmqTx: `tcp://127.0.0.1:${ports.bitcoindZmqTx}`,
    users: rpcUsers(secrets.bitcoind.eclair, secrets.bitcoind.gate),
    peers: bitcoind.local?.peers ?? [],
    // On regtest, bitcoind cannot estimate fees.
    fallbackFee: chain === "regtest" ? "0.00002" : "",
  });
}

/** The environment file of Eclair's units. */
export function eclairEnvironment({ java }: NodeConfiguration): string {
  const heap = `${java.heapMebibytes}m`;
  const compiler = java.compiler === "c1" ? " -XX:TieredStopAtLevel=1" : "";
  return `ECLAIR_JAVA_OPTS="-Xms${heap} -Xmx${heap}${compiler}"\n`;
}
