import { createHash } from "node:crypto";
import { z } from "zod";
import { places } from "../places.ts";
import type { NodeFile } from "./node-files.ts";

/** SHA-256 of each rendered file, by its path. It stays in RAM: of a short secret a digest tells enough. */
export const Digests = z.record(z.string(), z.string());
export type Digests = z.infer<typeof Digests>;

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
