import { readFileSync } from "node:fs";
import { z } from "zod";
import { places } from "../places.ts";

const ImageFacts = z.object({ eclair: z.object({ version: z.string() }) });

/** The version of the Eclair that is in this image, as the bake wrote it down. */
export function eclairVersion(): string {
  return ImageFacts.parse(JSON.parse(readFileSync(places.image, "utf8"))).eclair.version;
}
