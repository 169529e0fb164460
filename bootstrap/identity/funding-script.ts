import { p2ms, p2tr, p2wsh } from "@scure/btc-signer";
import { keyAggExport, keyAggregate, sortKeys } from "@scure/btc-signer/musig2.js";

/**
 * The output scripts that the funding transaction of a channel with these two keys can have: BOLT 3's 2-of-2 multisig,
 * and the aggregated key of a simple taproot channel, as Eclair's `Transactions.makeFundingScript` makes them.
 * @returns in hex
 */
export function fundingScripts(local: Uint8Array, remote: Uint8Array): string[] {
  const sorted = sortKeys([local, remote]);
  const scripts = [p2wsh(p2ms(2, sorted)).script, p2tr(keyAggExport(keyAggregate(sorted))).script];
  return scripts.map((script) => Buffer.from(script).toString("hex"));
}
