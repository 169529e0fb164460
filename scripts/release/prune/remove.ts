import {
  DeregisterImageCommand,
  DisableImageDeregistrationProtectionCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Target } from "../../target/target.ts";
import { deleteParameters, factsParameter, imageParameter, readParameter } from "../channels/parameters.ts";
import type { Release } from "../document/schema.ts";
import { deleteSnapshots, isImageMissing } from "../images.ts";
import { requireRegions } from "../regions.ts";
import { imagesOf, type ImagePlace, type VersionDocument } from "../store/version.ts";
import { existingImages } from "./usage.ts";

/**
 * Removes the images of a version everywhere: first all parameters, so that no consumer finds an image that disappears, and the
 * protection of all images; then images and snapshots. A place that fails does not stop the others.
 */
export async function removeImages(
  target: Target,
  release: Release,
  document: VersionDocument,
): Promise<void> {
  const places = imagesOf(document);
  await inEachPlace(places, `removing ${document.version}`, async (place) => {
    await removeParameters(target, release, document.version, place);
    await endProtection(target, place);
  });
  await inEachPlace(places, `removing ${document.version}`, (place) => removeImage(target, place));
}

async function inEachPlace(
  places: readonly ImagePlace[],
  operation: string,
  step: (place: ImagePlace) => Promise<void>,
): Promise<void> {
  const failures = new Map<string, unknown>();
  for (const place of places) {
    try {
      await step(place);
    } catch (error) {
      failures.set(`${place.region} (${place.architecture})`, error);
    }
  }
  requireRegions(failures, operation);
}

/** A parameter with another value belongs to another party. */
async function removeParameters(
  target: Target,
  { parameterPrefix: prefix }: Release,
  version: string,
  { region, architecture, image: { imageId } }: ImagePlace,
): Promise<void> {
  const name = imageParameter(prefix, version, architecture);
  const isOurs = (await readParameter(target, region, name)) === imageId;
  await deleteParameters(target, region, [...(isOurs ? [name] : []), factsParameter(prefix, imageId)]);
}

async function endProtection(target: Target, { region, image: { imageId } }: ImagePlace): Promise<void> {
  const image = (await existingImages(target, region, [imageId])).get(imageId);
  if (image?.DeregistrationProtection?.startsWith("enabled") !== true) return;
  await target
    .client(EC2Client, { region })
    .send(new DisableImageDeregistrationProtectionCommand({ ImageId: imageId }));
}

async function removeImage(
  target: Target,
  { region, image: { imageId, snapshotIds } }: ImagePlace,
): Promise<void> {
  const ec2 = target.client(EC2Client, { region });
  const image = (await existingImages(target, region, [imageId])).get(imageId);
  if (image !== undefined)
    await ec2.send(new DeregisterImageCommand({ ImageId: imageId })).catch((error: unknown) => {
      if (isImageMissing(error)) return;
      throw image.DeregistrationProtection === "disabled" ? error : stillProtected(imageId, region, error);
    });
  await deleteSnapshots(ec2, snapshotIds);
}

function stillProtected(imageId: string, region: string, cause: unknown): EclairAmiError {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new EclairAmiError(
    {
      code: "release.image-in-use",
      operation: `deregistering ${imageId} in ${region}`,
      message: `EC2 does not deregister the image yet: ${reason}`,
      remedy:
        "an image with a cooldown is deregistered 24 hours after the end of its protection: run the command again then. The parameters are removed already, and no channel gets the version",
    },
    { cause },
  );
}
