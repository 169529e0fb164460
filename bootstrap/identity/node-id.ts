import { HARDENED_OFFSET, HDKey } from "@scure/bip32";
import type { Chain } from "../contract/configuration/node.ts";
import { EclairAmiError } from "../contract/errors.ts";

/** Eclair's LocalNodeKeyManager: m/47'/0' on mainnet, m/46'/0' on every other chain. */
const purpose = (chain: Chain) => (chain === "mainnet" ? 47 : 46);

/** The node id that Eclair derives from a node seed: a compressed public key in hex. */
export function nodeIdOf(nodeSeed: Uint8Array, chain: Chain): string {
  const key = HDKey.fromMasterSeed(nodeSeed)
    .deriveChild(HARDENED_OFFSET + purpose(chain))
    .deriveChild(HARDENED_OFFSET);
  if (key.publicKey === null) throw new Error("the node seed yields no key");
  return Buffer.from(key.publicKey).toString("hex");
}

/** @param secret the name of the secret that contains the node seed */
export function requireNodeId(nodeSeed: Uint8Array, chain: Chain, expected: string, secret: string): void {
  const actual = nodeIdOf(nodeSeed, chain);
  if (actual === expected) return;
  throw new EclairAmiError({
    code: "identity.node-id-mismatch",
    operation: "checking the node id",
    message: `the node seed in ${secret} belongs to node ${actual}, not to ${expected}`,
    remedy: "correct secrets.nodeSeed or nodeId in the node's configuration",
  });
}
