import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { got, type RequestError } from "got";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { sha256Of } from "./digest.ts";

/** Milliseconds. */
const timeout = { lookup: 5_000, connect: 5_000, socket: 60_000 };

/** Downloads a small file. */
export async function readUrl(url: string): Promise<Uint8Array> {
  // A name that the resolver does not know is not tried again.
  const retry = { limit: 2, errorCodes: ["ECONNRESET", "ETIMEDOUT", "EPIPE"] };
  return await got(url, { timeout, retry }).buffer();
}

/** The error of a failed download: the server cannot be reached, or it answered with an error. */
export function downloadError(operation: string, error: RequestError): EclairAmiError {
  const url = error.options.url?.toString() ?? "the server";
  const answered = error.response !== undefined;
  return new EclairAmiError(
    {
      code: answered ? "artifact.download-failed" : "artifact.unreachable",
      operation,
      message: answered
        ? `${url} answered with an error: ${error.message}`
        : `${url} cannot be reached: ${error.message}`,
      remedy: "check the URL and the network; `artifacts fetch` and `bake` accept a mirror with --mirror",
    },
    { cause: error },
  );
}

export type Download = {
  readonly url: string;
  readonly file: string;
  readonly sha256: string;
  readonly onProgress: (fraction: number) => void;
};

/**
 * Downloads a file, and continues an earlier download that was interrupted. The file appears under its name only when
 * its sha256 is correct.
 */
export async function download({ url, file, sha256, onProgress }: Download): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.part`;
  // An earlier run may have ended between the last byte and the rename.
  if (existsSync(part) && (await sha256Of(part)) === sha256) {
    renameSync(part, file);
    return;
  }
  const offset = existsSync(part) ? statSync(part).size : 0;
  const stream = got.stream(url, {
    headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
    timeout,
  });
  stream.on("downloadProgress", ({ percent }: { percent: number }) => onProgress(percent));
  // The server decides whether the download continues or starts again.
  const statusCode = await new Promise<number>((resolve, reject) => {
    stream.once("response", (response: { statusCode: number }) => resolve(response.statusCode));
    stream.once("error", reject);
  });
  await pipeline(stream, createWriteStream(part, { flags: statusCode === 206 ? "a" : "w" }));
  const actual = await sha256Of(part);
  if (actual !== sha256) {
    rmSync(part);
    throw new EclairAmiError({
      code: "artifact.digest-mismatch",
      operation: `downloading ${url}`,
      message: `the sha256 of the file is ${actual}, and the pinned sha256 is ${sha256}`,
      remedy: "try again; if the error persists, the mirror or the pin is wrong",
    });
  }
  renameSync(part, file);
}
