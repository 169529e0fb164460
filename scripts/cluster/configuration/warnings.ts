import type { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";

/** Settings that are valid, and that an operator probably does not want. */
export function warningsAbout({
  chain,
  bitcoind,
  chainVolume,
  targetGroupArns,
  publicAddresses,
}: NodeConfiguration): string[] {
  const warnings: string[] = [];
  if (bitcoind.local !== undefined && chain === "mainnet" && chainVolume?.snapshotId === undefined)
    warnings.push(
      "chainVolume has no snapshotId: without a volume of an earlier instance, bitcoind syncs mainnet from the first block, which takes days",
    );
  if (bitcoind.local !== undefined && chainVolume === undefined)
    warnings.push("chainVolume is missing: the chain is on the root volume, and is lost with the instance");
  if (targetGroupArns.length === 0)
    warnings.push("targetGroupArns is empty: no load balancer forwards connections to this node");
  if (chain === "mainnet" && publicAddresses.length === 0)
    warnings.push("publicAddresses is empty: the node announces no address, and no peer can find it");
  return warnings;
}
