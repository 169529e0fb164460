import { HARDENED_OFFSET, HDKey } from "@scure/bip32";
import type { Chain } from "../config/node.ts";

/** Eclair's LocalChannelKeyManager: m/47'/1' on mainnet, m/46'/1' on every other chain. */
const purpose = (chain: Chain) => (chain === "mainnet" ? 47 : 46);

/**
 * The public key with which a node funds a channel, or each splice of it.
 * @param path the channel's `fundingKeyPath`, below the node's channel keys
 * @param index 0 for the channel's first funding transaction, one more for each splice
 * @returns a compressed public key
 */
export function fundingPublicKey(
  channelSeed: Uint8Array,
  chain: Chain,
  path: readonly number[],
  index: number,
): Uint8Array {
  const whole = [HARDENED_OFFSET + purpose(chain), HARDENED_OFFSET + 1, ...path, HARDENED_OFFSET + index];
  const { publicKey } = whole.reduce<HDKey>(
    (key, step) => key.deriveChild(step),
    HDKey.fromMasterSeed(channelSeed),
  );
  if (publicKey === null) throw new Error("the channel seed gives no key");
  return publicKey;
}
