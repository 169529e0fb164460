import { readFileSync } from "node:fs";
import { BootFailure, messageOf } from "../failure.ts";
import { places } from "../places.ts";
import type { Templates } from "./node-files.ts";

/**
 * The templates that this image brings.
 * @throws BootFailure that never heals: the image is what it is
 */
export function imageTemplates(): Templates {
  return {
    eclair: read("eclair.conf.hbs"),
    bitcoin: read("bitcoin.conf.hbs"),
    signer: read("eclair-signer.conf.hbs"),
  };
}

function read(name: string): string {
  const file = `${places.templates}/${name}`;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new BootFailure(
      {
        code: "image.incomplete",
        cause: `${file} of this image can't be read: ${messageOf(error)}`,
        remedy: "bake another image",
      },
      { cause: error },
    );
  }
}
