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
} as const;
