import { NodeConfiguration } from "../../bootstrap/contract/configuration/node.ts";
import { smallest } from "./configuration.ts";

/** The default limits of bitcoind: 30 s without an answer, two blocks behind or no peers for 60 s, recovery after 180 s. */
export const chainLimits = NodeConfiguration.parse(smallest).failover.bitcoind;
