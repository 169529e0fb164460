import type { Image } from "@aws-sdk/client-ec2";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { sha256OfText } from "../../image/artifacts/digest.ts";
import { findImage } from "../images.ts";
import { isLabPrefix } from "../document/contradictions.ts";
import {
  compareReleases,
  newVersion,
  readVersions,
  versionFile,
  versionPattern,
  VersionDocument,
} from "../store/version.ts";
import type { Publication } from "./publication.ts";

export const tagOf = ({ Tags }: Image, key: string): string | undefined =>
  Tags?.find(({ Key }) => Key === key)?.Value;

/**
 * The image in the region where it was baked.
 * @throws EclairAmiError `release.image-missing`
 */
export async function describeImage(
  publication: Publication,
  region: string,
  imageId: string,
): Promise<Image> {
  const image = await findImage(publication.ec2In(region), imageId);
  if (image?.State === "available") return image;
  throw new EclairAmiError({
    code: "release.image-missing",
    operation: `reading the image ${imageId} in ${region}`,
    message: image === undefined ? "the image does not exist" : `the image is ${image.State}`,
    remedy: "somebody deregistered or disabled the image: bake it again, and publish the new image",
  });
}

/** Checks that the manifest describes the image, and that the image may be published. */
export async function checkSource(publication: Publication): Promise<void> {
  const { manifest, release } = publication.options;
  const { id } = manifest.image;
  if (release.regions[manifest.region] === undefined)
    throw new EclairAmiError({
      code: "release.document-invalid",
      operation: `publishing ${id}`,
      message: `the image was baked in ${manifest.region}, and the release document does not have that region: its role may not read the image there`,
      remedy: `add ${manifest.region} to the regions, or bake in one of ${Object.keys(release.regions).join(", ")}`,
      exitCode: 2,
    });
  const image = await describeImage(publication, manifest.region, id);
  const expected = {
    [tags.bakeId]: manifest.bakeId,
    [tags.eclairVersion]: manifest.inputs.eclair.version,
    [tags.eclairSha256]: manifest.inputs.eclair.sha256,
    [tags.bitcoindVersion]: manifest.inputs.bitcoind.version,
    [tags.bitcoindSha256]: manifest.inputs.bitcoind.sha256,
  };
  const different = Object.entries(expected).filter(([key, value]) => tagOf(image, key) !== value);
  if (different.length > 0)
    throw new EclairAmiError({
      code: "release.manifest-mismatch",
      operation: `comparing the manifest of ${manifest.bakeId} with ${id}`,
      message: different
        .map(
          ([key, value]) =>
            `the tag ${key} is ${tagOf(image, key) ?? "missing"}, and the manifest has ${value}`,
        )
        .join("; "),
      remedy: "name the manifest of this image: it is in the folder of its bake",
      exitCode: 2,
    });
  const isForRelease = manifest.release && tagOf(image, tags.release) === "true";
  if (!isForRelease && !isLabPrefix(release.parameterPrefix))
    throw new EclairAmiError({
      code: "release.not-for-release",
      operation: `publishing ${id}`,
      message: `the image is not for release: ${tagOf(image, tags.releaseReason) ?? manifest.releaseReason}`,
      remedy: "bake an image from the pinned releases",
      exitCode: 2,
    });
}

/**
 * Takes the version for this image: the version that this bake has already, the named version, or the next number of the
 * Eclair. Only one of several processes can create a version.
 */
export async function claimVersion(publication: Publication): Promise<void> {
  const { options, architecture } = publication;
  const { store, manifest, version: named, by } = options;
  const eclair = manifest.inputs.eclair.version;
  const bitcoind = manifest.inputs.bitcoind.version;
  if (named !== undefined && (!versionPattern.test(named) || !named.startsWith(`${eclair}-`)))
    throw taken(named, `the image contains Eclair ${eclair}, and a version is ${eclair}-NUMBER`);
  const ours = {
    bakeId: manifest.bakeId,
    source: { region: manifest.region, imageId: manifest.image.id },
    manifestSha256: sha256OfText(options.manifestText),
    release: manifest.release,
    regions: {},
    failedCopies: {},
    endedTests: {},
  };
  for (;;) {
    const versions = await readVersions(store);
    const existing = versions.find(
      (one) => one.architectures[architecture]?.bakeId === manifest.bakeId && one.removed === undefined,
    );
    if (existing !== undefined && named !== undefined && existing.version !== named)
      throw taken(named, `this image is published as ${existing.version}`);
    const version = existing?.version ?? named ?? nextVersion(eclair, versions);
    const stored = await store.read(versionFile(version), VersionDocument);
    const current = stored?.value.architectures[architecture];
    requireOurs(version, stored?.value, current, ours, { eclair, bitcoind });
    publication.version = version;
    if (current !== undefined) return;
    const document =
      stored?.value ??
      newVersion({ version, eclair, bitcoind, createdAt: new Date().toISOString(), createdBy: by });
    const claimed = { ...document, architectures: { ...document.architectures, [architecture]: ours } };
    if ((await store.write(versionFile(version), claimed, stored)) !== undefined) return;
  }
}

function requireOurs(
  version: string,
  document: VersionDocument | undefined,
  current: { readonly bakeId: string; readonly manifestSha256: string } | undefined,
  ours: { readonly bakeId: string; readonly manifestSha256: string },
  { eclair, bitcoind }: { readonly eclair: string; readonly bitcoind: string },
): void {
  if (document === undefined) return;
  if (document.removed !== undefined) throw taken(version, "`prune` removed its images");
  if (document.withdrawn !== undefined)
    throw new EclairAmiError({
      code: "release.withdrawn",
      operation: `publishing ${version}`,
      message: `the version was withdrawn: ${document.withdrawn.reason}`,
      remedy: "bake a new image, and publish it as a new version",
      exitCode: 2,
    });
  if (current !== undefined && current.bakeId !== ours.bakeId)
    throw taken(version, `it belongs to the bake ${current.bakeId}, and this image to ${ours.bakeId}`);
  if (current !== undefined && current.manifestSha256 !== ours.manifestSha256)
    throw new EclairAmiError({
      code: "release.manifest-mismatch",
      operation: `publishing ${version}`,
      message: "the manifest of this bake was changed after the publication began",
      remedy: "publish with the manifest that the bake wrote",
      exitCode: 2,
    });
  if (document.eclair !== eclair || document.bitcoind !== bitcoind)
    throw taken(
      version,
      `its images contain Eclair ${document.eclair} and bitcoind ${document.bitcoind}, and this image ${eclair} and ${bitcoind}`,
    );
}

function nextVersion(eclair: string, versions: readonly VersionDocument[]): string {
  const numbers = versions
    .map(({ version }) => version)
    .filter((version) => version.startsWith(`${eclair}-`))
    .toSorted(compareReleases);
  return `${eclair}-${Number(numbers.at(-1)?.split("-")[1] ?? 0) + 1}`;
}

function taken(version: string, message: string): EclairAmiError {
  return new EclairAmiError({
    code: "release.version-taken",
    operation: `claiming the version ${version}`,
    message,
    remedy: "leave out --version: the image then gets its own version",
    exitCode: 2,
  });
}
