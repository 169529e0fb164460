import { createHash } from "node:crypto";
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { got, RequestError } from "got";
import { z } from "zod";
import { Failure } from "../core/failure.ts";
import { writeWhole } from "../core/files.ts";
import { cacheDir } from "../setup/places.mjs";
import { sha256Of } from "./digest.ts";
import type { ArtifactName, Pin } from "./pins.ts";
import { digestIn, whoSigned } from "./signatures.ts";

export type FetchOptions = {
  /** A base URL under which the same file names are found. */
  readonly mirror?: string;
  readonly architecture: "x86_64" | "arm64";
  readonly now: () => Date;
  readonly onProgress?: (name: ArtifactName, fraction: number) => void;
};

export type Fetched =
  | { readonly file: string; readonly sha256: string; readonly source: string }
  /** The release can't be reached; why, in a few words. Never for a release that was reached and is bad. */
  | { readonly unreachable: string };

/** Milliseconds. */
const timeout = { lookup: 5_000, connect: 5_000, socket: 60_000 };

/** Where a verified file stands: under its own digest. */
export const cachedFile = (sha256: string, name: string) => join(cacheDir(), "artifacts", sha256, name);

/** What was signed for a pinned file, as it was fetched: judged anew at every use, since keys expire. */
const Material = z.strictObject({
  sums: z.base64(),
  signatures: z.array(z.base64()),
  keys: z.array(z.base64()),
});

/** Its file; signers and their keys are in the name, so that a changed pin fetches anew. */
function materialFile(pin: Pin, sha256: string): string {
  const rule = createHash("sha256").update(JSON.stringify([pin.sums, pin.signatures, pin.signers]));
  return join(cacheDir(), "artifacts", sha256, `signed-${rule.digest("hex").slice(0, 12)}.json`);
}

/** The pinned file, downloaded when it is not in the cache; used only when digest and signatures are right. */
export async function fetchPinned(name: ArtifactName, pin: Pin, options: FetchOptions): Promise<Fetched> {
  const wanted = pin.files[options.architecture] ?? pin.files.any;
  if (wanted === undefined)
    throw new Failure({
      code: "artifact.architecture",
      doing: `fetching ${name} ${pin.version}`,
      cause: `it is not pinned for ${options.architecture}`,
      remedy: "pin it with `eclair-ami artifacts pin`",
      exit: 2,
    });
  const file = cachedFile(wanted.sha256, basename(new URL(wanted.url).pathname));
  const source = options.mirror ?? wanted.url;
  try {
    await verifySignatures(name, pin, wanted, options);
    // What lay in the cache is measured again: a disk may lie.
    if (!existsSync(file) || (await sha256Of(file)) !== wanted.sha256)
      await download(name, mirrored(wanted.url, options.mirror), file, wanted.sha256, options);
  } catch (error) {
    if (error instanceof RequestError && error.response === undefined)
      return { unreachable: `its release can't be reached (${error.code})` };
    if (error instanceof RequestError)
      throw new Failure({
        code: "artifact.download",
        doing: `fetching ${name} ${pin.version}`,
        cause: `${error.options.url?.toString() ?? "the server"} answered: ${error.message}`,
        remedy: "check the pin's URLs in artifacts.yaml, or name a mirror with --mirror",
      });
    throw error;
  }
  return { file, sha256: wanted.sha256, source };
}

function mirrored(url: string, mirror: string | undefined): string {
  return mirror === undefined ? url : `${mirror.replace(/\/$/, "")}/${basename(new URL(url).pathname)}`;
}

async function bytes(url: string): Promise<Uint8Array> {
  // A name that does not resolve will not in three seconds either.
  const retry = { limit: 2, errorCodes: ["ECONNRESET", "ETIMEDOUT", "EPIPE"] };
  return await got(url, { timeout, retry }).buffer();
}

async function verifySignatures(
  name: ArtifactName,
  pin: Pin,
  wanted: { url: string; sha256: string },
  options: FetchOptions,
): Promise<void> {
  const { sums, signatures, keys } = await signedMaterial(pin, wanted.sha256, options);
  await requireSigned({
    what: `${name} ${pin.version}`,
    sums,
    signatures,
    keys,
    fileName: basename(new URL(wanted.url).pathname),
    sha256: wanted.sha256,
    signers: Object.values(pin.signers).map((signer) => signer.fingerprint),
    threshold: pin.threshold,
    now: options.now(),
  });
}

async function signedMaterial(pin: Pin, sha256: string, options: FetchOptions) {
  const file = materialFile(pin, sha256);
  if (!existsSync(file)) {
    const encoded = async (url: string) =>
      Buffer.from(await bytes(mirrored(url, options.mirror))).toString("base64");
    // A key that can't be had counts as not at hand; whether enough of the others signed is judged later.
    const keys = await Promise.allSettled(Object.values(pin.signers).map((signer) => encoded(signer.key)));
    const material: z.infer<typeof Material> = {
      sums: await encoded(pin.sums),
      signatures: await Promise.all(pin.signatures.map(encoded)),
      keys: keys.flatMap((key) => (key.status === "fulfilled" ? [key.value] : [])),
    };
    mkdirSync(dirname(file), { recursive: true });
    writeWhole(file, JSON.stringify(material));
  }
  const material = Material.parse(JSON.parse(readFileSync(file, "utf8")));
  const decode = (text: string) => Buffer.from(text, "base64");
  return {
    sums: decode(material.sums).toString("utf8"),
    signatures: material.signatures.map(decode),
    keys: material.keys.map(decode),
  };
}

export type SignedFile = {
  readonly what: string;
  readonly sums: string;
  readonly signatures: readonly Uint8Array[];
  readonly keys: readonly Uint8Array[];
  readonly fileName: string;
  readonly sha256: string;
  readonly signers: readonly string[];
  readonly threshold: number;
  readonly now: Date;
};

/** Refuses a file whose digest does not stand in sums that enough of the named signers signed. */
export async function requireSigned(file: SignedFile): Promise<readonly string[]> {
  const verdict = await whoSigned(file, file.signers, file.now);
  const why = Object.entries(verdict.refused).map(([signer, reason]) => `  ${signer}: ${reason}`);
  if (verdict.counted.length < file.threshold)
    throw new Failure({
      code: "artifact.signatures",
      doing: `verifying ${file.what}`,
      cause: `${verdict.counted.length} of the named signers signed it, ${file.threshold} must\n${why.join("\n")}`,
      remedy: "do not use the file; find out why, or pin other signers with `eclair-ami artifacts pin`",
    });
  const stated = digestIn(verdict.sums, file.fileName);
  if (stated !== file.sha256)
    throw new Failure({
      code: "artifact.digest",
      doing: `verifying ${file.what}`,
      cause:
        stated === undefined
          ? `the signed sums do not name ${file.fileName}`
          : `the signed sums give ${stated} for ${file.fileName}, it is ${file.sha256}`,
      remedy: "do not use the file; fetch it again from where it is released",
    });
  return verdict.counted;
}

/** Downloads into a part file, going on where an earlier try ended; it gets its name when its digest is right. */
async function download(
  name: ArtifactName,
  url: string,
  file: string,
  sha256: string,
  options: FetchOptions,
): Promise<void> {
  mkdirSync(join(file, ".."), { recursive: true });
  const part = `${file}.part`;
  // A run that ended between the last byte and the new name.
  if (existsSync(part) && (await sha256Of(part)) === sha256) {
    renameSync(part, file);
    return;
  }
  const have = existsSync(part) ? statSync(part).size : 0;
  const stream = got.stream(url, {
    headers: have > 0 ? { range: `bytes=${have}-` } : {},
    timeout,
  });
  let resumed = false;
  stream.once("response", (response: { statusCode: number }) => {
    resumed = response.statusCode === 206;
  });
  stream.on("downloadProgress", ({ percent }: { percent: number }) => options.onProgress?.(name, percent));
  // The file is opened only once it is known whether the server goes on or begins again.
  await new Promise<void>((resolve, reject) => {
    stream.once("response", () => resolve());
    stream.once("error", reject);
  });
  await pipeline(stream, createWriteStream(part, { flags: resumed ? "a" : "w" }));
  const actual = await sha256Of(part);
  if (actual !== sha256) {
    rmSync(part);
    throw new Failure({
      code: "artifact.digest",
      doing: `fetching ${name} from ${url}`,
      cause: `its sha256 is ${actual}, pinned is ${sha256}`,
      remedy: "try again; when it stays, the mirror or the pin is wrong",
    });
  }
  renameSync(part, file);
}
