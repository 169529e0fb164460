import { p2ms, p2tr, p2wsh } from "@scure/btc-signer";
import { keyAggExport, keyAggregate, sortKeys } from "@scure/btc-signer/musig2.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";

/**
 * The output scripts that the funding transaction of a channel with these two keys can have: BOLT 3's 2-of-2 multisig,
 * and the aggregated key of a simple taproot channel, as Eclair's `Transactions.makeFundingScript` makes them.
 */
export function fundingScripts(local: Uint8Array, remote: Uint8Array): Uint8Array[] {
  const sorted = sortKeys([local, remote]);
  return [p2wsh(p2ms(2, sorted)).script, p2tr(keyAggExport(keyAggregate(sorted))).script];
}

/** Whether bytes are a compressed public key: a point of the curve. */
export function isPublicKey(bytes: Uint8Array): boolean {
  // The first byte tells nearly all others apart, and a point is slow to look for.
  return (bytes[0] === 2 || bytes[0] === 3) && secp256k1.utils.isValidPublicKey(bytes, true);
}
