import type { Chain } from "../config/node.ts";
import type { NodeIdentity } from "../record/record.ts";
import { channelSeedFingerprint, onChainFingerprint } from "./fingerprints.ts";
import { nodeIdOf } from "./node-id.ts";
import type { OnChainSecret } from "./on-chain.ts";

/** Who a node is by its secrets, as binding and record have it. */
export function nodeIdentityOf(
  chain: Chain,
  keys: {
    readonly nodeSeed: Uint8Array;
    readonly channelSeed: Uint8Array;
    readonly onChain?: OnChainSecret | undefined;
  },
): NodeIdentity {
  return {
    nodeId: nodeIdOf(keys.nodeSeed, chain),
    chain,
    channelSeed: channelSeedFingerprint(keys.channelSeed),
    ...(keys.onChain !== undefined && { onChain: onChainFingerprint(keys.onChain) }),
  };
}
