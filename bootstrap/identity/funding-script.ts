import { p2ms, p2tr, p2wsh } from "@scure/btc-signer";
import { keyAggExport, keyAggregate, sortKeys } from "@scure/btc-signer/musig2.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";

/**
 * The possible output scripts of the funding transaction of a channel with these two keys: the 2-of-2 multisig of BOLT 3,
 * and the aggregated key of a simple taproot channel (`Transactions.makeFundingScript` of Eclair).
 */
export function fundingScripts(local: Uint8Array, remote: Uint8Array): Uint8Array[] {
  const sorted = sortKeys([local, remote]);
  return [p2wsh(p2ms(2, sorted)).script, p2tr(keyAggExport(keyAggregate(sorted))).script];
}

/** Whether bytes are a compressed public key, which is a point of the curve. */
export function isPublicKey(bytes: Uint8Array): boolean {
  // The first byte excludes nearly all other values, and the verification of a point is slow.
  return (bytes[0] === 2 || bytes[0] === 3) && secp256k1.utils.isValidPublicKey(bytes, true);
}
