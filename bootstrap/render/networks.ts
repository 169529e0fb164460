import type { Chain } from "../contract/configuration/node.ts";

/** A chain in bitcoind. */
type Network = {
  /** The option that selects the chain. */
  readonly network: string;
  /** The section of its settings. */
  readonly section: string;
  /** Its folder below the data folder. */
  readonly folder: string;
  /** The default port of its RPC interface (`CBaseChainParams`). */
  readonly rpcPort: number;
};

export const networks: Readonly<Record<Chain, Network>> = {
  mainnet: { network: "", section: "main", folder: "", rpcPort: 8332 },
  testnet: { network: "testnet", section: "test", folder: "testnet3/", rpcPort: 18_332 },
  testnet4: { network: "testnet4", section: "testnet4", folder: "testnet4/", rpcPort: 48_332 },
  signet: { network: "signet", section: "signet", folder: "signet/", rpcPort: 38_332 },
  regtest: { network: "regtest", section: "regtest", folder: "regtest/", rpcPort: 18_443 },
};
