import { stringifyFacts } from "../channels/facts.ts";
import {
  factsParameter,
  imageParameter,
  writeImageParameter,
  writeTextParameter,
} from "../channels/parameters.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { z } from "zod";
import { imagesFile, manifestFile } from "../store/version.ts";
import type { Publication } from "./publication.ts";

/** Writes the parameters of the version in a region. The last one makes the image visible to consumers. */
export async function writeParameters(publication: Publication, region: string): Promise<void> {
  const { target, release, manifest } = publication.options;
  const { version, architecture } = publication;
  const { parameterPrefix: prefix } = release;
  const { imageId } = await publication.imageIn(region);
  const facts = stringifyFacts({
    ...{ version, architecture, imageId },
    eclair: manifest.inputs.eclair.version,
    bitcoind: manifest.inputs.bitcoind.version,
    release: manifest.release,
    ...(!manifest.release && { releaseReason: manifest.releaseReason }),
  });
  await writeTextParameter(target, region, factsParameter(prefix, imageId), facts);
  await writeImageParameter(target, region, {
    name: imageParameter(prefix, version, architecture),
    imageId,
    overwrite: false,
  });
  await publication.updateImage(region, (image) => ({
    ...image,
    publishedAt: image.publishedAt ?? new Date().toISOString(),
  }));
}

const Images = z.record(z.string(), z.string());

/** Writes the manifest of the bake, and the image of each region. */
export async function writeManifest(publication: Publication): Promise<void> {
  const { store, manifest, manifestText } = publication.options;
  const { version, architecture } = publication;
  const file = manifestFile(version, architecture);
  const previous = await store.read(file, z.looseObject({ bakeId: z.string() }));
  if (previous === undefined) await store.write(file, JSON.parse(manifestText) as unknown, undefined);
  else if (previous.value.bakeId !== manifest.bakeId)
    throw new EclairAmiError({
      code: "release.manifest-mismatch",
      operation: `writing ${store.locationOf(file)}`,
      message: `the object is the manifest of ${previous.value.bakeId}, not of ${manifest.bakeId}`,
      remedy: "find out who wrote the object; an earlier version of the object is in the bucket",
    });
  const { regions } = await publication.recorded();
  const images = Object.fromEntries(
    Object.entries(regions).flatMap(([region, { imageId, publishedAt }]) =>
      publishedAt === undefined ? [] : [[region, imageId]],
    ),
  );
  await store.update(imagesFile(version, architecture), Images, (current) =>
    JSON.stringify(current) === JSON.stringify(images) ? (current ?? images) : images,
  );
}
