/** TCP ports of a node. */
export const ports = {
  /** Lightning peers connect here. */
  lightning: 9735,
  /** The doors of the cluster's other hosts connect here. */
  door: 9736,
  /** `/live`, `/ready`, `/active`, `/serving` and `/metrics`. */
  health: 8090,
  /** Eclair's API, on loopback. */
  eclairApi: 8080,
  /** RPC of a bitcoind on this host, on loopback, on every chain. */
  bitcoindRpc: 8332,
  /** The publishers of a bitcoind on this host, on loopback. */
  bitcoindZmqBlock: 29_000,
  bitcoindZmqTx: 29_001,
  /** The RPC interface and the publisher that Eclair uses, on loopback, in front of every bitcoind. */
  bitcoindGateRpc: 8339,
  bitcoindGateZmq: 29_002,
  /** The RPC interface and the port of the Eclair that checks its configuration, on loopback. */
  eclairCheckRpc: 8341,
  eclairCheck: 8342,
} as const;
