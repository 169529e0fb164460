import { basename } from "node:path";
import type { BitcoindArtifact, EclairArtifact } from "./artifact.ts";
import { sha256Of } from "./digest.ts";
import { readEclairZip } from "./eclair-zip.ts";
import { fetchPinned, type FetchOptions } from "./fetch.ts";
import { readPins } from "./pins.ts";

/** Why an artifact is not available. A release that was downloaded and is invalid is an error instead. */
export type Unavailable = { readonly unavailable: string };

/** The pinned release of Eclair. */
export async function fetchEclair(options: FetchOptions): Promise<EclairArtifact | Unavailable> {
  const pin = readPins().eclair;
  if (pin === undefined)
    return { unavailable: "its release is not pinned (see `eclair-ami artifacts pin --help`)" };
  const fetched = await fetchPinned("eclair", pin, options);
  if ("unavailable" in fetched) return fetched;
  return { name: "eclair", kind: "real", version: pin.version, ...fetched };
}

/** A given Eclair release zip. An image with a zip that is not pinned is not for release. */
export async function readGivenEclair(file: string): Promise<EclairArtifact> {
  const { version, kind } = await readEclairZip(file);
  const sha256 = await sha256Of(file);
  const isPinned = readPins().eclair?.files.any?.sha256 === sha256;
  return {
    name: "eclair",
    kind,
    version,
    file,
    sha256,
    source: `file ${basename(file)}`,
    ...(kind === "stand-in"
      ? { notForRelease: "the image contains the stand-in Eclair" }
      : !isPinned && { notForRelease: `the given file of Eclair ${version} is not pinned` }),
  };
}

/** The pinned release of Bitcoin Core. */
export async function fetchBitcoind(options: FetchOptions): Promise<BitcoindArtifact | Unavailable> {
  const pin = readPins().bitcoin;
  if (pin === undefined)
    return { unavailable: "its release is not pinned (see `eclair-ami artifacts pin --help`)" };
  const fetched = await fetchPinned("bitcoin", pin, options);
  if ("unavailable" in fetched) return fetched;
  return { name: "bitcoind", kind: "release", version: pin.version, ...fetched };
}
