import { HARDENED_OFFSET, HDKey } from "@scure/bip32";
import type { Chain } from "../contract/configuration/node.ts";

/** Eclair's LocalChannelKeyManager: m/47'/1' on mainnet, m/46'/1' on every other chain. */
const purpose = (chain: Chain) => (chain === "mainnet" ? 47 : 46);

/**
 * The public key with which a node funds a channel or a splice of the channel.
 * @param path the `fundingKeyPath` of the channel, below the channel keys of the node
 * @param index 0 for the first funding transaction of the channel; each splice increases it by one
 * @returns a compressed public key
 */
export function fundingPublicKey(
  channelSeed: Uint8Array,
  chain: Chain,
  path: readonly number[],
  index: number,
): Uint8Array {
  const fullPath = [HARDENED_OFFSET + purpose(chain), HARDENED_OFFSET + 1, ...path, HARDENED_OFFSET + index];
  const { publicKey } = fullPath.reduce<HDKey>(
    (key, step) => key.deriveChild(step),
    HDKey.fromMasterSeed(channelSeed),
  );
  if (publicKey === null) throw new Error("the channel seed yields no key");
  return publicKey;
}
