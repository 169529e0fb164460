import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { RequestError } from "got";
import { z } from "zod";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { writeFileAtomically } from "../../machine/files.ts";
import { cacheDir } from "../../machine/paths.mjs";
import type { Architecture } from "../../../infra/architecture.ts";
import { sha256Of } from "./digest.ts";
import { download, downloadError, readUrl } from "./download.ts";
import type { ArtifactName, Pin } from "./pins.ts";
import { requireSigned } from "./verify.ts";

export type FetchOptions = {
  /** A base URL that serves files with the same names. */
  readonly mirror?: string;
  readonly architecture: Architecture;
  readonly now: () => Date;
  readonly onProgress?: (name: ArtifactName, fraction: number) => void;
};

export type Fetched =
  | { readonly file: string; readonly sha256: string; readonly source: string }
  /** The server cannot be reached. */
  | { readonly unavailable: string };

/** The path of a verified file in the cache. The folder is named after the sha256 of the file. */
export const cachedFile = (sha256: string, name: string) => join(cacheDir(), "artifacts", sha256, name);

/** The signed sums with their signatures and keys, as downloaded. Each use verifies them again, because keys expire. */
const SignedSums = z.strictObject({
  sums: z.base64(),
  signatures: z.array(z.strictObject({ name: z.string(), content: z.base64() })),
  keys: z.array(z.strictObject({ name: z.string(), content: z.base64() })),
});
type SignedSums = z.infer<typeof SignedSums>;

/** The cached signed sums of a file. The name depends on the signers, so that a changed pin causes a new download. */
function signedSumsFile(pin: Pin, sha256: string): string {
  const digest = createHash("sha256").update(JSON.stringify([pin.sums, pin.signatures, pin.signers]));
  return join(cacheDir(), "artifacts", sha256, `signed-sums-${digest.digest("hex").slice(0, 12)}.json`);
}

type PinnedFile = { readonly url: string; readonly sha256: string };

/** Downloads a pinned file unless the cache contains the file, and verifies sha256 and signatures. */
export async function fetchPinned(name: ArtifactName, pin: Pin, options: FetchOptions): Promise<Fetched> {
  const operation = `fetching ${name} ${pin.version}`;
  const pinned = pin.files[options.architecture] ?? pin.files.any;
  if (pinned === undefined)
    throw new EclairAmiError({
      code: "artifact.architecture",
      operation,
      message: `no file is pinned for ${options.architecture}`,
      remedy: "pin a file for this architecture with `eclair-ami artifacts pin`",
      exitCode: 2,
    });
  const file = cachedFile(pinned.sha256, fileNameOf(pinned.url));
  try {
    await verifySignatures(name, pin, pinned, options);
    // The cached file is verified at each use: a disk can return wrong data.
    if (!existsSync(file) || (await sha256Of(file)) !== pinned.sha256)
      await download({
        url: mirrored(pinned.url, options.mirror),
        file,
        sha256: pinned.sha256,
        onProgress: (fraction) => options.onProgress?.(name, fraction),
      });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (error.response === undefined) return { unavailable: `its release cannot be reached (${error.code})` };
    throw downloadError(operation, error);
  }
  return { file, sha256: pinned.sha256, source: options.mirror ?? pinned.url };
}

const fileNameOf = (url: string) => basename(new URL(url).pathname);

function mirrored(url: string, mirror: string | undefined): string {
  return mirror === undefined ? url : `${mirror.replace(/\/$/, "")}/${fileNameOf(url)}`;
}

async function verifySignatures(
  name: ArtifactName,
  pin: Pin,
  pinned: PinnedFile,
  { mirror, now }: FetchOptions,
): Promise<void> {
  const file = signedSumsFile(pin, pinned.sha256);
  const cached = existsSync(file) ? SignedSums.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
  const signed = cached ?? (await downloadSignedSums(pin, mirror));
  const decode = (text: string) => Buffer.from(text, "base64");
  const decodeFile = (item: SignedSums["keys"][number]) => ({ name: item.name, bytes: decode(item.content) });
  await requireSigned({
    title: `${name} ${pin.version}`,
    sums: decode(signed.sums).toString("utf8"),
    signatures: signed.signatures.map(decodeFile),
    keys: signed.keys.map(decodeFile),
    fileName: fileNameOf(pinned.url),
    sha256: pinned.sha256,
    signers: Object.values(pin.signers).map((signer) => signer.fingerprint),
    threshold: pin.threshold,
    now: now(),
  });
  // Sums that are not signed, and sums without a signer's key, are downloaded again next time.
  if (cached !== undefined || signed.keys.length < Object.keys(pin.signers).length) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileAtomically(file, JSON.stringify(signed));
}

async function downloadSignedSums(pin: Pin, mirror: string | undefined): Promise<SignedSums> {
  const encoded = async (url: string) => Buffer.from(await readUrl(mirrored(url, mirror))).toString("base64");
  const encodedFile = async (url: string) => ({ name: mirrored(url, mirror), content: await encoded(url) });
  // A key that cannot be downloaded is missing; the threshold decides whether the other signers suffice.
  const keys = await Promise.allSettled(Object.values(pin.signers).map((signer) => encodedFile(signer.key)));
  return {
    sums: await encoded(pin.sums),
    signatures: await Promise.all(pin.signatures.map(encodedFile)),
    keys: keys.flatMap((key) => (key.status === "fulfilled" ? [key.value] : [])),
  };
}
