import { readFileSync } from "node:fs";
import { z } from "zod";
import { EclairReference } from "../contract/eclair/reference.ts";
import { paths } from "../os/paths.ts";

const ImageFacts = z.object({
  eclair: z.object({ version: z.string() }),
  bitcoind: z.object({ version: z.string() }),
});
const imageFacts = () => ImageFacts.parse(JSON.parse(readFileSync(paths.image, "utf8")));

/** The version of the Eclair in this image, from the file that the bake wrote. */
export function eclairVersion(): string {
  return imageFacts().eclair.version;
}

/** The version of the bitcoind in this image, such as `31.1`. */
export function bitcoindVersion(): string {
  return imageFacts().bitcoind.version;
}

/** The settings of the Eclair in this image, from the file that the bake wrote. */
export function imageReference(): EclairReference {
  return EclairReference.parse(JSON.parse(readFileSync(paths.eclairSettings, "utf8")));
}
