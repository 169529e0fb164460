import { createHash } from "node:crypto";
import { z } from "zod";
import { paths } from "../os/paths.ts";
import type { NodeFile } from "./node-files.ts";

/** The SHA-256 of each rendered file, by its path. The digests stay in RAM, because the digest of a short secret reveals it. */
const Digests = z.record(z.string(), z.string());
export type Digests = z.infer<typeof Digests>;

/** The last file that the boot writes: a running supervisor then knows that all files are complete. */
export const RenderedDigests = z.strictObject({ node: z.string(), files: Digests });
export type RenderedDigests = z.infer<typeof RenderedDigests>;

export const sha256 = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex");

/** The supervisor may not read Eclair's files. With the digests it detects whether a boot would write other files. */
export function digestsOf(files: readonly NodeFile[]): Digests {
  return Object.fromEntries(
    files
      // Each boot generates new salts for the users in this file.
      .filter(({ path }) => path !== paths.bitcoinConf)
      .map(({ path, content }) => [path, sha256(content)]),
  );
}
