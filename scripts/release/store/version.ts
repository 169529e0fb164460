import { z } from "zod";
import { compareVersions } from "../../../bootstrap/contract/eclair/versions.ts";
import { architectures } from "../../../infra/architecture.ts";
import type { Release } from "../document/schema.ts";
import type { ReleaseStore } from "./store.ts";

const formatVersion = 1;

/** A version is the version of Eclair and a number, such as `0.13.0-2`. */
export const versionPattern = /^\d+(\.\d+)+-[1-9]\d*$/;
const Version = z.string().regex(versionPattern);

const ImageTestRecord = z.discriminatedUnion("state", [
  z.strictObject({ state: z.literal("passed"), at: z.iso.datetime(), durationSeconds: z.number() }),
  /** `publish --no-test` */
  z.strictObject({ state: z.literal("skipped"), at: z.iso.datetime(), by: z.string() }),
]);

/** An image of a version in one region. */
const PublishedImage = z.strictObject({
  imageId: z.string(),
  snapshotIds: z.array(z.string()),
  kmsKeyArn: z.string(),
  test: ImageTestRecord.optional(),
  /** When the parameter of the version was written; absent while the image is not published. */
  publishedAt: z.iso.datetime().optional(),
});
export type PublishedImage = z.infer<typeof PublishedImage>;

const ArchitectureRelease = z.strictObject({
  bakeId: z.string(),
  source: z.strictObject({ region: z.string(), imageId: z.string() }),
  manifestSha256: z.string(),
  /** Whether the image is for release. */
  release: z.boolean(),
  regions: z.record(z.string(), PublishedImage),
  /** For each region, the number of copies that failed. */
  failedCopies: z.record(z.string(), z.int()),
  /** For each region, the number of instances that have ended their image test. */
  endedTests: z.record(z.string(), z.int()),
});
export type ArchitectureRelease = z.infer<typeof ArchitectureRelease>;

/** Everything about one version, in the bucket: `versions/VERSION.json`. */
export const VersionDocument = z.strictObject({
  formatVersion: z.literal(formatVersion),
  version: Version,
  eclair: z.string(),
  bitcoind: z.string(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  architectures: z.partialRecord(z.enum(architectures), ArchitectureRelease),
  withdrawn: z
    .strictObject({
      at: z.iso.datetime(),
      by: z.string(),
      reason: z.string(),
      disabledAt: z.iso.datetime().optional(),
    })
    .optional(),
  /**
   * When `prune` marked the version, deleted the first parameter, and had removed everything. From the mark on, no channel gets the
   * version. The document remains, so that the version is never used again.
   */
  removed: z
    .strictObject({
      at: z.iso.datetime(),
      by: z.string(),
      begunAt: z.iso.datetime().optional(),
      completedAt: z.iso.datetime().optional(),
    })
    .optional(),
});
export type VersionDocument = z.infer<typeof VersionDocument>;

export const newVersion = (
  facts: Omit<VersionDocument, "formatVersion" | "architectures">,
): VersionDocument => ({
  formatVersion,
  ...facts,
  architectures: {},
});

const folder = "versions/";
export const versionFile = (version: string) => `${folder}${version}.json`;
export const manifestFile = (version: string, architecture: string) =>
  `${folder}${version}/${architecture}/manifest.json`;
/** The image of each region, for programs. */
export const imagesFile = (version: string, architecture: string) =>
  `${folder}${version}/${architecture}/images.json`;

/** All versions, the oldest first. */
export async function readVersions(store: ReleaseStore): Promise<VersionDocument[]> {
  const names = (await store.list(folder)).filter((name) => /^versions\/[^/]+\.json$/.test(name));
  const stored = await Promise.all(names.map((name) => store.read(name, VersionDocument)));
  return stored.flatMap((one) => one?.value ?? []).toSorted((a, b) => compareReleases(a.version, b.version));
}

/**
 * Changes the document of a version that exists.
 * @param change returns the document itself when nothing is to do
 */
export async function updateVersion(
  store: ReleaseStore,
  version: string,
  change: (document: VersionDocument) => VersionDocument,
): Promise<VersionDocument> {
  return await store.update(versionFile(version), VersionDocument, (document) => {
    if (document === undefined) throw new Error(`the document of ${version} does not exist`);
    return change(document);
  });
}

/** Compares versions: by Eclair, then by number. */
export function compareReleases(a: string, b: string): number {
  const [eclairA = "", numberA] = a.split("-");
  const [eclairB = "", numberB] = b.split("-");
  return compareVersions(eclairA, eclairB) || Number(numberA) - Number(numberB);
}

export type ImagePlace = {
  readonly region: string;
  readonly architecture: keyof VersionDocument["architectures"];
  readonly image: PublishedImage;
};

/** The images of a version in all regions. */
export const imagesOf = ({ architectures: byArchitecture }: VersionDocument): ImagePlace[] =>
  Object.entries(byArchitecture).flatMap(([architecture, { regions }]) =>
    Object.entries(regions).map(([region, image]) => ({
      region,
      architecture: architecture as ImagePlace["architecture"],
      image,
    })),
  );

/** Why a version cannot be in a channel: it is not published and tested in each region. */
export function incompleteness(document: VersionDocument, release: Release): string | undefined {
  const byArchitecture = Object.entries(document.architectures);
  if (byArchitecture.length === 0) return "it has no image";
  for (const [architecture, { regions }] of byArchitecture)
    for (const region of Object.keys(release.regions)) {
      const image = regions[region];
      if (image?.publishedAt === undefined) return `it is not published in ${region} (${architecture})`;
      if (image.test?.state !== "passed") return `it was not tested in ${region} (${architecture})`;
    }
  return undefined;
}
