import { createHash } from "node:crypto";
import { z } from "zod";
import { places } from "../places.ts";
import type { NodeFile } from "./node-files.ts";

/** SHA-256 of each rendered file, by its path. It stays in RAM: of a short secret a digest tells enough. */
const Digests = z.record(z.string(), z.string());
export type Digests = z.infer<typeof Digests>;

/** What the boot writes last: by it a supervisor that runs knows that everything is there. */
export const RenderedDigests = z.strictObject({ node: z.string(), files: Digests });
export type RenderedDigests = z.infer<typeof RenderedDigests>;

export const sha256 = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex");

/** By these a supervisor, which may not read Eclair's files, knows whether a boot would write others. */
export function digestsOf(files: readonly NodeFile[]): Digests {
  return Object.fromEntries(
    files
      // Its users' salts are made anew each time.
      .filter(({ path }) => path !== places.bitcoinConf)
      .map(({ path, content }) => [path, sha256(content)]),
  );
}
