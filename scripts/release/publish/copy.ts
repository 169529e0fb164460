import {
  CopyImageCommand,
  CreateTagsCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  type Image,
  type Snapshot,
} from "@aws-sdk/client-ec2";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { ec2Tags } from "../../image/bake/image-tags.ts";
import { deleteSnapshots, findImage, isImageMissing } from "../images.ts";
import type { Publication } from "./publication.ts";
import { describeImage } from "./source.ts";

const copyTimeoutMilliseconds = { lab: 120_000, aws: 3 * 60 * 60 * 1000 } as const;
const pollIntervalMilliseconds = { lab: 200, aws: 15_000 } as const;

export const snapshotIdsOf = ({ BlockDeviceMappings = [] }: Image): string[] =>
  BlockDeviceMappings.flatMap(({ Ebs }) => Ebs?.SnapshotId ?? []);

/** The snapshots of an image. */
export async function snapshotsOf(
  publication: Publication,
  region: string,
  image: Image,
): Promise<Snapshot[]> {
  const { Snapshots = [] } = await publication
    .ec2In(region)
    .send(new DescribeSnapshotsCommand({ SnapshotIds: snapshotIdsOf(image) }));
  return Snapshots;
}

/**
 * Copies the image to a region, encrypted with the key of that region. In its own region, an image with that key is used
 * itself. A copy that exists is used again.
 */
export async function copyToRegion(publication: Publication, region: string): Promise<void> {
  const { manifest } = publication.options;
  const { kmsKeyArn } = publication.regionOf(region);
  if ((await publication.recorded()).regions[region] !== undefined) return;
  const own = region === manifest.region ? await ownImage(publication, region, kmsKeyArn) : undefined;
  const imageId =
    own?.ImageId ??
    (await findCopy(publication, region)) ??
    (await startCopy(publication, region, kmsKeyArn));
  await publication.recordImage(region, (image) => image ?? { imageId, snapshotIds: [], kmsKeyArn });
}

/** The baked image, when it has the key of the region. */
async function ownImage(
  publication: Publication,
  region: string,
  kmsKeyArn: string,
): Promise<Image | undefined> {
  const image = await describeImage(publication, region, publication.options.manifest.image.id);
  const snapshots = await snapshotsOf(publication, region, image);
  if (!snapshots.every(({ KmsKeyId }) => KmsKeyId === kmsKeyArn)) return undefined;
  const versionTag = { [tags.releaseVersion]: publication.version };
  await publication
    .ec2In(region)
    .send(new CreateTagsCommand({ Resources: [image.ImageId ?? ""], Tags: ec2Tags(versionTag) }));
  return image;
}

/** A copy that an earlier run started. */
async function findCopy(publication: Publication, region: string): Promise<string | undefined> {
  const { Images = [] } = await publication.ec2In(region).send(
    new DescribeImagesCommand({
      Owners: ["self"],
      Filters: [
        { Name: `tag:${tags.bakeId}`, Values: [publication.options.manifest.bakeId] },
        { Name: `tag:${tags.releaseVersion}`, Values: [publication.version] },
        { Name: `tag:${tags.releaseStore}`, Values: [publication.options.store.locationOf("")] },
      ],
    }),
  );
  return Images.find(({ State }) => State === "available" || State === "pending")?.ImageId;
}

async function startCopy(publication: Publication, region: string, KmsKeyId: string): Promise<string> {
  const { options, version } = publication;
  const { manifest } = options;
  const failed = (await publication.recorded()).failedCopies[region] ?? 0;
  const source = await describeImage(publication, manifest.region, manifest.image.id);
  const copied = Object.fromEntries(
    (source.Tags ?? []).flatMap(({ Key = "", Value = "" }) => (Key.startsWith("aws:") ? [] : [[Key, Value]])),
  ) as Record<string, string>;
  const store = options.store.locationOf("");
  const own = {
    ...copied,
    [tags.releaseVersion]: version,
    [tags.releaseStore]: store,
    [tags.imageTest]: "pending",
  };
  const { ImageId = "" } = await publication.ec2In(region).send(
    new CopyImageCommand({
      // After a copy that failed, the same token would return the failed copy.
      ClientToken: tokenOf(manifest.bakeId, version, store, region, KmsKeyId, String(failed)),
      SourceImageId: manifest.image.id,
      SourceRegion: manifest.region,
      Name: copyName(manifest.image.name, version, store),
      Description: `${source.Description ?? ""} (${version})`.trim(),
      ...{ Encrypted: true, KmsKeyId },
      TagSpecifications: [
        { ResourceType: "image", Tags: ec2Tags(own) },
        { ResourceType: "snapshot", Tags: ec2Tags(own) },
      ],
    }),
  );
  return ImageId;
}

/** The name of an image is unique in an account and region. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyImage.html */
const copyName = (name: string, version: string, store: string) =>
  `${name} ${version} ${tokenOf(store).slice(0, 8)}`;

/** EC2 accepts 64 ASCII characters. */
export const tokenOf = (...parts: readonly string[]): string =>
  createHash("sha256").update(parts.join(" ")).digest("hex");

/**
 * Waits until the copy in a region is available. EC2 checks the key of a copy after its answer. A copy that failed is removed,
 * so that the next run copies again.
 */
export async function waitForCopy(publication: Publication, region: string): Promise<void> {
  const { target, signal } = publication.options;
  const { imageId } = await publication.imageIn(region);
  const started = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const image = await findImage(publication.ec2In(region), imageId);
    if (image?.State === "available")
      return await publication.recordImage(region, (recorded) => ({
        ...(recorded ?? { imageId, kmsKeyArn: publication.regionOf(region).kmsKeyArn }),
        snapshotIds: snapshotIdsOf(image),
      }));
    if (image !== undefined && image.State !== "pending") throw await failedCopy(publication, region, image);
    if (performance.now() - started > copyTimeoutMilliseconds[target.name])
      throw new EclairAmiError({
        code: "release.copy-failed",
        operation: `copying the image to ${region}`,
        message: `${imageId} is still pending`,
        remedy: "run the command again: it continues with this copy",
      });
    if (image === undefined && performance.now() - started > missingMilliseconds[target.name])
      throw await missingImage(publication, region, imageId);
    await sleep(pollIntervalMilliseconds[target.name]);
  }
}

/** EC2 shows a new image some seconds after the call. */
const missingMilliseconds = { lab: 3_000, aws: 60_000 } as const;

async function failedCopy(publication: Publication, region: string, image: Image): Promise<EclairAmiError> {
  const { ImageId = "", StateReason } = image;
  const ec2 = publication.ec2In(region);
  await forget(publication, region);
  // Another process may have removed the copy already.
  await ec2.send(new DeregisterImageCommand({ ImageId })).catch((error: unknown) => {
    if (!isImageMissing(error)) throw error;
  });
  await deleteSnapshots(ec2, snapshotIdsOf(image));
  return new EclairAmiError({
    code: "release.copy-failed",
    operation: `copying the image to ${region}`,
    message: `EC2 could not copy the image: ${StateReason?.Message ?? image.State}`,
    remedy: `check that ${publication.regionOf(region).kmsKeyArn} is enabled and that its policy permits the publisher (\`eclair-ami policy image-key\`), then run the command again`,
  });
}

/** The image of a region was deregistered after it was copied. The next run copies again, unless the image was published. */
export async function missingImage(
  publication: Publication,
  region: string,
  imageId: string,
): Promise<EclairAmiError> {
  const { publishedAt } = await publication.imageIn(region);
  await forget(publication, region);
  return new EclairAmiError({
    code: "release.image-missing",
    operation: `publishing in ${region}`,
    message: `${imageId} does not exist any more`,
    remedy:
      publishedAt === undefined
        ? "find out who deregistered the image; run the command again to copy it again"
        : "find out who deregistered the image. A published image is never changed: withdraw this version, and publish a new bake",
  });
}

/** Removes a copy from the version's document. A version that is published in the region keeps its image. */
async function forget(publication: Publication, region: string): Promise<void> {
  await publication.record((current) => {
    const { [region]: image, ...regions } = current.regions;
    if (image?.publishedAt !== undefined) return current;
    const failedCopies = { ...current.failedCopies, [region]: (current.failedCopies[region] ?? 0) + 1 };
    return { ...current, regions, failedCopies };
  });
}
