import { rdsRegions } from "../../../bootstrap/contract/rds-regions.ts";
import type { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";

/** The region in the host name of an RDS database. https://docs.aws.amazon.com/general/latest/gr/rds-service.html */
const rdsRegionOf = (host: string): string | undefined =>
  /\.([a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com(?:\.cn)?$/.exec(host)?.[1];

/** Eclair renews its lease up to 27 s after 20 s of lost packets began (`roles.ts`), and its last renewal can be 5 s older. */
const shortestLeaseSeconds = 40;

/** Settings that are valid, and that an operator probably does not want. */
export function warningsAbout({
  chain,
  bitcoind,
  chainVolume,
  targetGroupArns,
  publicAddresses,
  database,
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
  if (database.leaseSeconds < shortestLeaseSeconds)
    warnings.push(
      `database.leaseSeconds is ${database.leaseSeconds}: packets that are lost for 20 s between all instances and the database can restart Eclair with less than ${shortestLeaseSeconds}`,
    );
  const region = rdsRegionOf(database.host);
  if (database.ca === undefined && region !== undefined && !rdsRegions.includes(region))
    warnings.push(
      `database.ca is missing: the image contains no certificate authority of RDS for ${region}, so every connection would be refused. Download the bundle of the region from https://truststore.pki.rds.amazonaws.com (docs/configuration.md)`,
    );
  if (chain === "mainnet" && publicAddresses.length === 0)
    warnings.push("publicAddresses is empty: the node announces no address, and no peer can find it");
  return warnings;
}
