import { CopySnapshotCommand, EC2Client } from "@aws-sdk/client-ec2";
import { tagsOf } from "../../../bootstrap/contract/chain/snapshot-tags.ts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import type { Target } from "../../target/target.ts";
import type { ChainSnapshot } from "./snapshots.ts";

/**
 * Copies a snapshot to another region. EBS copies no tags, so the copy gets the same description; a copy of a verified snapshot
 * has the same content and is verified as well.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html
 * @param kmsKeyId of the other region; by default, its default key for EBS
 * @returns the id of the copy, which EBS completes later
 */
export async function copyChainSnapshot(
  target: Target,
  { snapshotId, cluster, facts, verifiedAt }: ChainSnapshot,
  { region, kmsKeyId }: { readonly region: string; readonly kmsKeyId?: string | undefined },
): Promise<string> {
  const Tags = [
    ...tagsOf(cluster, facts),
    ...(verifiedAt === undefined ? [] : [{ Key: tags.verified, Value: verifiedAt }]),
  ];
  const { SnapshotId = "" } = await target.client(EC2Client, { region }).send(
    new CopySnapshotCommand({
      SourceRegion: target.region,
      SourceSnapshotId: snapshotId,
      Description: `chain of ${cluster} at ${facts.height}, from ${snapshotId} in ${target.region}`,
      Encrypted: true,
      ...(kmsKeyId !== undefined && { KmsKeyId: kmsKeyId }),
      TagSpecifications: [{ ResourceType: "snapshot", Tags }],
    }),
  );
  return SnapshotId;
}
