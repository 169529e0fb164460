import type { Chain } from "../contract/configuration/node.ts";
import type { NodeIdentity } from "../contract/record/record.ts";
import type { OnChainSecret } from "../secrets/on-chain.ts";
import { channelSeedFingerprint, onChainFingerprint } from "./fingerprints.ts";
import { nodeIdOf } from "./node-id.ts";

/** The identity of a node by its secrets, as the binding and the record contain it. */
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
    channelSeedFingerprint: channelSeedFingerprint(keys.channelSeed),
    ...(keys.onChain !== undefined && { onChainFingerprint: onChainFingerprint(keys.onChain) }),
  };
}
