import { stringify } from "yaml";

/** A valid node configuration that contains only what the schema requires. */
export const smallest = {
  apiVersion: "eclair-ami/v1",
  kind: "Node",
  cluster: "demo",
  chain: "regtest",
  nodeId: `02${"ab".repeat(32)}`,
  alias: "demo",
  secrets: { nodeSeed: "demo/seeds", channelSeed: "demo/seeds" },
  database: { secret: "rds!db-1", host: "demo.example.com" },
  bitcoind: { local: {} },
};

export const smallestText = stringify(smallest);
