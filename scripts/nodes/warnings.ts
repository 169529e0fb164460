import type { NodeConfiguration } from "../../bootstrap/config/node.ts";

/** What is allowed and yet worth a second thought. */
export function warningsAbout({
  chain,
  bitcoind,
  dataVolume,
  targetGroups,
  publicAddresses,
}: NodeConfiguration): string[] {
  const warnings: string[] = [];
  if (bitcoind.local !== undefined && chain === "mainnet" && dataVolume?.snapshot === undefined)
    warnings.push(
      "dataVolume names no snapshot: without a volume kept from an earlier instance, bitcoind syncs mainnet from nothing, which takes days",
    );
  if (bitcoind.local !== undefined && dataVolume === undefined)
    warnings.push("there is no dataVolume: the chain is on the root volume and gone with the instance");
  if (targetGroups.length === 0)
    warnings.push("there are no targetGroups: no load balancer sends anything here");
  if (chain === "mainnet" && publicAddresses.length === 0)
    warnings.push("there are no publicAddresses: nobody learns from the network where this node is");
  return warnings;
}
