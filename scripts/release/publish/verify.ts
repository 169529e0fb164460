import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { missingImage, snapshotsOf } from "./copy.ts";
import type { Publication } from "./publication.ts";
import { describeImage, tagOf } from "./source.ts";

/**
 * Checks what exists in a region, not what was requested: state, encryption, IMDSv2, and the tags that the launch depends on.
 * @throws EclairAmiError `release.image-unverified` with every difference
 */
export async function verifyImage(publication: Publication, region: string): Promise<void> {
  const { manifest } = publication.options;
  const { imageId, kmsKeyArn } = await publication.imageIn(region);
  const image = await describeImage(publication, region, imageId).catch(async (error: unknown) => {
    throw error instanceof EclairAmiError && error.code === "release.image-missing"
      ? await missingImage(publication, region, imageId)
      : error;
  });
  const snapshots = await snapshotsOf(publication, region, image);
  const problems: string[] = [];
  if (image.ImdsSupport !== "v2.0")
    problems.push(
      `ImdsSupport is ${image.ImdsSupport ?? "missing"}, not v2.0: instances would accept IMDSv1`,
    );
  if (image.Architecture !== manifest.image.architecture)
    problems.push(`the architecture is ${image.Architecture}, not ${manifest.image.architecture}`);
  if (snapshots.length === 0) problems.push("the image has no snapshot");
  for (const { SnapshotId, Encrypted, KmsKeyId, State } of snapshots) {
    if (State !== "completed") problems.push(`the snapshot ${SnapshotId} is ${State}`);
    if (Encrypted !== true) problems.push(`the snapshot ${SnapshotId} is not encrypted`);
    else if (KmsKeyId !== kmsKeyArn)
      problems.push(`the snapshot ${SnapshotId} is encrypted with ${KmsKeyId}, not with ${kmsKeyArn}`);
  }
  const expected = {
    [tags.bakeId]: manifest.bakeId,
    [tags.releaseVersion]: publication.version,
    [tags.eclairVersion]: manifest.inputs.eclair.version,
    [tags.eclairSha256]: manifest.inputs.eclair.sha256,
    [tags.bitcoindVersion]: manifest.inputs.bitcoind.version,
    [tags.release]: String(manifest.release),
  };
  for (const [key, value] of Object.entries(expected))
    if (tagOf(image, key) !== value)
      problems.push(`the tag ${key} is ${tagOf(image, key) ?? "missing"}, not ${value}`);
  if (problems.length === 0) return;
  throw new EclairAmiError({
    code: "release.image-unverified",
    operation: `checking ${imageId} in ${region}`,
    message: problems.join("; "),
    remedy: "correct what differs, or deregister the image and run the command again to copy it again",
  });
}
