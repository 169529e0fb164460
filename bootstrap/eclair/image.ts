import { readFileSync } from "node:fs";
import { z } from "zod";
import { EclairReference } from "../contract/eclair/reference.ts";
import { paths } from "../os/paths.ts";

const ImageFacts = z.object({ eclair: z.object({ version: z.string() }) });

/** The version of the Eclair in this image, from the file that the bake wrote. */
export function eclairVersion(): string {
  return ImageFacts.parse(JSON.parse(readFileSync(paths.image, "utf8"))).eclair.version;
}

/** The settings of the Eclair in this image, from the file that the bake wrote. */
export function imageReference(): EclairReference {
  return EclairReference.parse(JSON.parse(readFileSync(paths.eclairSettings, "utf8")));
}
