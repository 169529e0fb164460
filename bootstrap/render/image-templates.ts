import { readFileSync } from "node:fs";
import { EclairAmiError, messageOf } from "../contract/errors.ts";
import { paths } from "../os/paths.ts";
import type { Templates } from "./node-files.ts";

/**
 * Reads the templates of this image.
 * @throws EclairAmiError that is not retryable
 */
export function imageTemplates(): Templates {
  return {
    eclair: read("eclair.conf.hbs"),
    bitcoin: read("bitcoin.conf.hbs"),
    signer: read("eclair-signer.conf.hbs"),
  };
}

function read(name: string): string {
  const file = `${paths.templates}/${name}`;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new EclairAmiError(
      {
        code: "image.incomplete",
        operation: "reading the templates of the image",
        message: `${file} of this image cannot be read: ${messageOf(error)}`,
        remedy: "bake another image",
      },
      { cause: error },
    );
  }
}
