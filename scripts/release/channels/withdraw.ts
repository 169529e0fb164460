import {
  CreateTagsCommand,
  DisableImageCommand,
  EC2Client,
  EnableImageDeprecationCommand,
} from "@aws-sdk/client-ec2";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { ec2Tags } from "../../image/bake/image-tags.ts";
import { isImageMissing } from "../images.ts";
import { usesOf } from "../prune/usage.ts";
import { requireRegions } from "../regions.ts";
import { currentVersion, readChannels } from "../store/channel.ts";
import { imagesOf, readVersions, versionFile, VersionDocument, type ImagePlace } from "../store/version.ts";
import { planReturns, requireVersion, type ChannelReturn } from "./decide.ts";
import { moveChannel, type Move } from "./move.ts";

const maximumTagLength = 255;
/** EC2 accepts no date in the past, and rounds to minutes. */
const deprecateInMilliseconds = 60_000;

export type Withdrawal = {
  readonly version: string;
  readonly reason: string;
  readonly by: string;
  /** Also disables the images: nobody can launch them any more. */
  readonly disable: boolean;
};

/**
 * Withdraws a version: no promotion to it any more, the images deprecated and tagged in every region, and each channel with
 * the version returned to its previous one. Every step can be repeated.
 * @returns what happened to the channels
 */
export async function withdraw(
  move: Omit<Move, "versions">,
  withdrawal: Withdrawal,
): Promise<ChannelReturn[]> {
  const { store, release } = move;
  const { version, reason, by, disable } = withdrawal;
  requireVersion(await readVersions(store), version);
  const withdrawn = await store.update(versionFile(version), VersionDocument, (document) => {
    if (document === undefined) throw new Error(`the document of ${version} does not exist`);
    return document.withdrawn === undefined
      ? { ...document, withdrawn: { at: new Date().toISOString(), by, reason } }
      : document;
  });
  // Channels first: a consumer must not get the image any more.
  const versions = await readVersions(store);
  const returns = planReturns(withdrawn, await readChannels(store, release.channels), versions, release);
  for (const { channel, to } of returns)
    await moveChannel({ ...move, versions }, channel, (document) =>
      document.change === undefined && currentVersion(document) !== version
        ? undefined
        : { kind: "withdraw", to, by, reason },
    );
  await markImages(move, imagesOf(withdrawn), withdrawn.withdrawn?.reason ?? reason);
  if (disable) await disableImages(move, withdrawn);
  return returns;
}

async function markImages(
  { target }: Pick<Move, "target">,
  images: readonly ImagePlace[],
  reason: string,
): Promise<void> {
  await inEachPlace(images, "deprecating and tagging the images", async ({ region, image }) => {
    const ec2 = target.client(EC2Client, { region });
    const Tags = ec2Tags({ [tags.withdrawn]: reason.slice(0, maximumTagLength) });
    await ec2.send(new CreateTagsCommand({ Resources: [image.imageId], Tags }));
    const DeprecateAt = new Date(Date.now() + deprecateInMilliseconds);
    await ec2.send(new EnableImageDeprecationCommand({ ImageId: image.imageId, DeprecateAt }));
  });
}

/** A disabled image loses its launch permissions, and a group that pins it could not replace a lost instance. */
async function disableImages(
  { target, store, release }: Pick<Move, "target" | "store" | "release">,
  document: VersionDocument,
): Promise<void> {
  const images = imagesOf(document);
  const uses: string[] = [];
  for (const { region, image } of images)
    for (const use of await usesOf(target, release, region, image.imageId))
      uses.push(`${region}: ${use} (${image.imageId})`);
  if (uses.length > 0)
    throw new EclairAmiError({
      code: "release.image-in-use",
      operation: `disabling the images of ${document.version}`,
      message: uses.join("\n"),
      remedy:
        "replace the images of these groups, launch templates and instances, then run the command again. The version is withdrawn",
    });
  await inEachPlace(images, "disabling the images", async ({ region, image }) => {
    await target.client(EC2Client, { region }).send(new DisableImageCommand({ ImageId: image.imageId }));
  });
  await store.update(versionFile(document.version), VersionDocument, (current) => {
    if (current?.withdrawn === undefined) throw new Error(`${document.version} is not withdrawn`);
    if (current.withdrawn.disabledAt !== undefined) return current;
    return { ...current, withdrawn: { ...current.withdrawn, disabledAt: new Date().toISOString() } };
  });
}

/** In all regions at the same time. */
async function inEachPlace(
  images: readonly ImagePlace[],
  operation: string,
  step: (place: ImagePlace) => Promise<void>,
): Promise<void> {
  const failures = new Map<string, unknown>();
  await Promise.all(
    images.map(async (place) => {
      try {
        await step(place);
      } catch (error) {
        // An image that does not exist any more needs no mark.
        if (isImageMissing(error)) return;
        failures.set(place.region, error);
      }
    }),
  );
  requireRegions(failures, operation);
}
