import {
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DisableImageDeregistrationProtectionCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Target } from "../../target/target.ts";
import { deleteParameters, factsParameter, imageParameter } from "../channels/parameters.ts";
import type { Release } from "../document/schema.ts";
import { requireRegions } from "../regions.ts";
import { readChannels } from "../store/channel.ts";
import type { ReleaseStore } from "../store/store.ts";
import { imagesOf, readVersions, versionFile, VersionDocument, type ImagePlace } from "../store/version.ts";
import { planPruning, type Pruned } from "./plan.ts";
import { accountUses, existingImages, launchedRecently, otherAccountUses } from "./usage.ts";

export type PruneOptions = {
  readonly target: Target;
  readonly release: Release;
  readonly store: ReleaseStore;
  readonly by: string;
  readonly dryRun: boolean;
};

/** Removes the images of old versions that nothing uses. */
export async function prune(options: PruneOptions): Promise<Pruned[]> {
  const { target, release, store, by, dryRun } = options;
  const versions = await readVersions(store);
  const channels = await readChannels(store, release.channels);
  const withoutUses = planPruning(release, versions, channels, () => []);
  const candidates = versions.filter(({ version }) =>
    withoutUses.some((one) => one.version === version && one.keptBecause.length === 0),
  );
  const uses = await readUses(options, candidates.flatMap(imagesOf));
  const planned = planPruning(
    release,
    versions,
    channels,
    (region, imageId) => uses.get(`${region} ${imageId}`) ?? [],
  );
  if (dryRun) return planned;
  const failures = new Map<string, unknown>();
  for (const { version, keptBecause } of planned) {
    const document = versions.find((one) => one.version === version);
    if (keptBecause.length > 0 || document === undefined) continue;
    try {
      for (const place of imagesOf(document)) await removeImage(target, release, version, place);
      await store.update(versionFile(version), VersionDocument, (current) => {
        if (current === undefined) throw new Error(`the document of ${version} does not exist`);
        return current.removed === undefined
          ? { ...current, removed: { at: new Date().toISOString(), by } }
          : current;
      });
    } catch (error) {
      failures.set(version, error);
    }
  }
  requireRegions(failures, "removing old versions");
  return planned;
}

/** What uses the images of candidates for removal. */
async function readUses(
  { target, release }: PruneOptions,
  places: readonly ImagePlace[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const uses = new Map<string, readonly string[]>();
  for (const region of new Set(places.map((place) => place.region))) {
    const ids = places.flatMap((place) => (place.region === region ? [place.image.imageId] : []));
    const account = await accountUses(target, region);
    const images = await existingImages(target, region, ids);
    for (const imageId of ids) {
      const image = images.get(imageId);
      // An image that somebody removed already is in nobody's use.
      if (image === undefined) continue;
      const launched = launchedRecently(image, release.retention.launchedWithinDays, Date.now());
      uses.set(`${region} ${imageId}`, [
        ...(account.get(imageId) ?? []),
        ...(launched === undefined ? [] : [launched]),
        ...(await otherAccountUses(target, release, region, imageId)),
      ]);
    }
  }
  return uses;
}

/** Parameters first, so that no consumer finds an image that disappears; then protection, image and snapshots. */
async function removeImage(
  target: Target,
  { parameterPrefix: prefix }: Release,
  version: string,
  { region, architecture, image: { imageId, snapshotIds } }: ImagePlace,
): Promise<void> {
  await deleteParameters(target, region, [
    imageParameter(prefix, version, architecture),
    factsParameter(prefix, imageId),
  ]);
  const ec2 = target.client(EC2Client, { region });
  const image = (await existingImages(target, region, [imageId])).get(imageId);
  if (image !== undefined) {
    const { DeregistrationProtection: protection = "" } = image;
    if (protection.startsWith("enabled"))
      await ec2.send(new DisableImageDeregistrationProtectionCommand({ ImageId: imageId }));
    await ec2.send(new DeregisterImageCommand({ ImageId: imageId })).catch((error: unknown) => {
      throw protection.endsWith("with-cooldown") || protection.startsWith("disabled-after")
        ? new EclairAmiError(
            {
              code: "release.image-in-use",
              operation: `deregistering ${imageId} in ${region}`,
              message:
                "EC2 still protects the image: it deregisters the image 24 hours after the end of the protection",
              remedy: "run the command again after this time; the parameters are removed already",
            },
            { cause: error },
          )
        : error;
    });
  }
  for (const SnapshotId of snapshotIds)
    await ec2.send(new DeleteSnapshotCommand({ SnapshotId })).catch((error: unknown) => {
      if (!(error instanceof Error && error.name === "InvalidSnapshot.NotFound")) throw error;
    });
}
