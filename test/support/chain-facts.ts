import type { ChainFacts } from "../../bootstrap/contract/requests/chain-snapshot.ts";

export const chainFacts: ChainFacts = {
  chain: "regtest",
  height: 100,
  blockHash: "ab".repeat(32),
  bitcoindVersion: 310_100,
  indexes: ["txindex"],
  muhash: "cd".repeat(32),
};
