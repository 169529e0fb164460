import type { Target } from "../../target/target.ts";
import type { Release } from "./schema.ts";

/** The prefix of the parameters of images that are not for release. Only the lab publishes such images. */
export const labPrefix = "/lab";
export const isLabPrefix = (prefix: string): boolean =>
  prefix === labPrefix || prefix.startsWith(`${labPrefix}/`);

/** The partition of a region, by its name. https://docs.aws.amazon.com/general/latest/gr/rande.html */
const partitionOf = (region: string): Release["partition"] =>
  region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";

/** What a document says that cannot work, although each value alone is valid. */
export function contradictions(release: Release, target: Target["name"] | undefined): string[] {
  const { partition, accountId, regions, principals, parameterPrefix, manifests } = release;
  const problems: string[] = [];
  for (const region of [...Object.keys(regions), manifests.region])
    if (partitionOf(region) !== partition)
      problems.push(
        `the region ${region} belongs to the partition ${partitionOf(region)}, and this document to ${partition}: images, keys and parameters exist in one partition`,
      );
  for (const [region, { kmsKeyArn }] of Object.entries(regions)) {
    const [, ofPartition, , ofRegion, ofAccount] = kmsKeyArn.split(":");
    if (ofRegion !== region)
      problems.push(
        `regions.${region}.kmsKeyArn is a key of ${ofRegion}: a copy needs a key of its own region`,
      );
    if (ofPartition !== partition)
      problems.push(`regions.${region}.kmsKeyArn belongs to the partition ${ofPartition}`);
    if (ofAccount !== accountId)
      problems.push(`regions.${region}.kmsKeyArn belongs to the account ${ofAccount}, not to ${accountId}`);
  }
  const arns = [...principals.organizations, ...principals.organizationalUnits, release.roleArn ?? ""];
  for (const arn of arns)
    if (arn !== "" && arn.split(":")[1] !== partition)
      problems.push(`${arn} belongs to another partition than ${partition}`);
  if (release.roleArn !== undefined && release.roleArn.split(":")[4] !== accountId)
    problems.push(`roleArn is a role of another account than ${accountId}`);
  if (principals.accounts.includes(accountId))
    problems.push(`principals.accounts contains ${accountId}, which owns the images and needs no permission`);
  if (target === "aws" && isLabPrefix(parameterPrefix))
    problems.push(`parameterPrefix begins with ${labPrefix}, the prefix of images that are not for release`);
  if (target === "lab" && !isLabPrefix(parameterPrefix))
    problems.push(
      `parameterPrefix does not begin with ${labPrefix}/: the lab publishes images that are not for release`,
    );
  return problems;
}
