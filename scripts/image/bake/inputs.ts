import type { BitcoindArtifact, EclairArtifact } from "../artifacts/artifact.ts";
import { requireCompatible } from "../artifacts/compatibility.ts";
import type { FetchOptions } from "../artifacts/fetch.ts";
import { fetchBitcoind, fetchEclair, readGivenEclair } from "../artifacts/resolve.ts";
import { debianBitcoindArtifact, standInEclair } from "./substitutes/substitutes.ts";

/** The artifacts that an image contains in addition to Debian. */
export type Inputs = { readonly eclair: EclairArtifact; readonly bitcoind: BitcoindArtifact };

export type InputOptions = FetchOptions & {
  /** An Eclair release zip that replaces the pinned release. */
  readonly eclairFile?: string;
  /** Uses Debian's bitcoind and, without a zip, the stand-in Eclair, without a download. */
  readonly skipReleases: boolean;
  /** Receives a line for each substitute that the image contains. */
  readonly notify: (line: string) => void;
};

/** The pinned releases; a substitute replaces a release that is not available. */
export async function selectInputs(options: InputOptions): Promise<Inputs> {
  const inputs: Inputs = { eclair: await selectEclair(options), bitcoind: await selectBitcoind(options) };
  requireCompatible(inputs.eclair.version, inputs.bitcoind.version);
  return inputs;
}

const skipped = { unavailable: "the releases are skipped" } as const;

async function selectEclair(options: InputOptions): Promise<EclairArtifact> {
  if (options.eclairFile !== undefined) return await readGivenEclair(options.eclairFile);
  const artifact = options.skipReleases ? skipped : await fetchEclair(options);
  if (!("unavailable" in artifact)) return artifact;
  options.notify(
    `Eclair: ${artifact.unavailable}; the image contains the stand-in Eclair and is not for release`,
  );
  return await standInEclair();
}

async function selectBitcoind(options: InputOptions): Promise<BitcoindArtifact> {
  const artifact = options.skipReleases ? skipped : await fetchBitcoind(options);
  if (!("unavailable" in artifact)) return artifact;
  options.notify(
    `Bitcoin Core: ${artifact.unavailable}; the image contains Debian's bitcoin-knots and is not for release`,
  );
  return await debianBitcoindArtifact(options.architecture);
}

/** An image is for release only when each of its artifacts is. */
export function releaseVerdict(inputs: Inputs): { readonly release: boolean; readonly reason: string } {
  const reasons = [inputs.eclair.notForRelease, inputs.bitcoind.notForRelease].filter(
    (reason): reason is string => reason !== undefined,
  );
  return reasons.length === 0
    ? { release: true, reason: "every artifact is pinned and verified" }
    : { release: false, reason: reasons.join("; ") };
}
