import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { EclairReference } from "../../bootstrap/contract/eclair/reference.ts";
import { EclairAmiError, messageOf } from "../../bootstrap/contract/errors.ts";
import { plainMessage } from "../../bootstrap/contract/plain-messages.ts";
import { root } from "../machine/paths.mjs";
import { Manifest, manifestFormatVersion } from "./manifest.ts";

/** Contains one folder for each bake of this checkout. */
export const buildFolder = join(root, "build");

export const manifestPath = (bakeFolder: string) => join(bakeFolder, "manifest.json");
/** The settings of the image's Eclair. The image contains the same file. */
export const settingsPath = (bakeFolder: string) => join(bakeFolder, "eclair-settings.json");
export const reportPath = (bakeFolder: string) => join(bakeFolder, "report.html");

/** The fields that every format of the manifest has. */
const AnyManifest = z.looseObject({ bakeId: z.string(), image: z.looseObject({ id: z.string() }) });

/** Reads the manifest of an image. @param id an image id or a bake id */
export const readManifestOf = (id: string, folder = buildFolder): Manifest =>
  readManifest(manifestFileOf(id, folder));

/** The file of the manifest of an image. @param id an image id or a bake id */
export function manifestFileOf(id: string, folder = buildFolder): string {
  const bakes = existsSync(folder) ? readdirSync(folder) : [];
  for (const bakeId of bakes) {
    const file = manifestPath(join(folder, bakeId));
    if (existsSync(file) && (bakeId === id || imageIdIn(file) === id)) return file;
  }
  throw new EclairAmiError({
    code: "image.not-found",
    operation: `reading the manifest of ${id}`,
    message: `no manifest in ${folder} belongs to this image`,
    remedy: "name an image id or a bake id of this checkout; `ls build` lists the bakes",
    exitCode: 2,
  });
}

/** Reads the settings of the Eclair of an image. @param id an image id or a bake id */
export function readEclairReferenceOf(id: string, folder = buildFolder): EclairReference {
  const { bakeId } = readManifestOf(id, folder);
  const file = settingsPath(join(folder, bakeId));
  try {
    return EclairReference.parse(JSON.parse(readFileSync(file, "utf8")), { error: plainMessage });
  } catch (error) {
    throw new EclairAmiError(
      {
        code: "image.incomplete",
        operation: `reading the settings of Eclair ${file}`,
        message: `the file cannot be read: ${error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)}`,
        remedy: "bake the image again with this version of eclair-ami",
      },
      { cause: error },
    );
  }
}

function imageIdIn(file: string): string | undefined {
  try {
    return AnyManifest.safeParse(JSON.parse(readFileSync(file, "utf8"))).data?.image.id;
  } catch {
    // A damaged manifest of another image is not an error.
    return undefined;
  }
}

/** Reads a manifest. A manifest of another format is refused. */
export function readManifest(file: string): Manifest {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    const { formatVersion } = z.looseObject({ formatVersion: z.unknown().optional() }).parse(value);
    if (formatVersion !== manifestFormatVersion)
      throw new Error(
        `its formatVersion is ${formatVersion === undefined ? "missing" : JSON.stringify(formatVersion)}: another version of eclair-ami wrote it, and this version reads format ${manifestFormatVersion}`,
      );
    return Manifest.parse(value, { error: plainMessage });
  } catch (error) {
    throw new EclairAmiError(
      {
        code: "image.incomplete",
        operation: `reading the manifest ${file}`,
        message: `the manifest cannot be read: ${error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)}`,
        remedy: "bake the image again with this version of eclair-ami",
      },
      { cause: error },
    );
  }
}
