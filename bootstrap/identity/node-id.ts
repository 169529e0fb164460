import { HARDENED_OFFSET, HDKey } from "@scure/bip32";
import type { Chain } from "../config/node.ts";
import { BootFailure } from "../failure.ts";

/** Eclair's LocalNodeKeyManager: m/47'/0' on mainnet, m/46'/0' on every other chain. */
const purpose = (chain: Chain) => (chain === "mainnet" ? 47 : 46);

/** The node id that Eclair has with a node seed: a compressed public key in hex. */
export function nodeIdOf(nodeSeed: Uint8Array, chain: Chain): string {
  const key = HDKey.fromMasterSeed(nodeSeed)
    .deriveChild(HARDENED_OFFSET + purpose(chain))
    .deriveChild(HARDENED_OFFSET);
  if (key.publicKey === null) throw new Error("the node seed gives no key");
  return Buffer.from(key.publicKey).toString("hex");
}

export function requireNodeId(nodeSeed: Uint8Array, chain: Chain, expected: string, secret: string): void {
  const actual = nodeIdOf(nodeSeed, chain);
  if (actual === expected) return;
  throw new BootFailure({
    code: "identity.node-id",
    cause: `the node seed in ${secret} is that of node ${actual}, not of ${expected}`,
    remedy: "name the right secret, or correct nodeId, in the node's configuration",
  });
}
