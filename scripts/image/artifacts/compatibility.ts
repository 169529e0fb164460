import { compareVersions } from "../../../bootstrap/contract/eclair/versions.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";

/**
 * The oldest Bitcoin Core that each Eclair works with, from Eclair's release notes and its check at start
 * (`fr.acinq.eclair.Setup`). A version that is not listed has the minimum of the newest listed version before it.
 */
const minimumBitcoinVersions: readonly (readonly [eclair: string, bitcoin: string])[] = [
  ["0.13.0", "28.1"],
  ["0.13.1", "29.0"],
  ["0.14.0", "30.0"],
  ["0.14.1", "31.0"],
];

/** The oldest Bitcoin Core that an Eclair works with; undefined for an Eclair older than each listed version. */
export function minimumBitcoinVersion(eclair: string): string | undefined {
  return minimumBitcoinVersions.findLast(([version]) => compareVersions(version, eclair) <= 0)?.[1];
}

/** Refuses a pair in which Eclair would refuse bitcoind at each start. */
export function requireCompatible(eclair: string, bitcoin: string): void {
  const minimum = minimumBitcoinVersion(eclair);
  if (minimum === undefined)
    throw incompatible(
      eclair,
      bitcoin,
      `Eclair ${eclair} is older than 0.13.0, the oldest version that eclair-ami supports`,
      "use a newer Eclair",
    );
  if (compareVersions(bitcoin, minimum) < 0)
    throw incompatible(
      eclair,
      bitcoin,
      `Eclair ${eclair} needs Bitcoin Core ${minimum} or newer, and this is bitcoind ${bitcoin}`,
      `use bitcoind ${minimum} or newer, or an older Eclair`,
    );
}

function incompatible(eclair: string, bitcoin: string, message: string, remedy: string): EclairAmiError {
  return new EclairAmiError({
    code: "artifact.incompatible",
    operation: `combining Eclair ${eclair} and bitcoind ${bitcoin} in one image`,
    message,
    remedy,
    exitCode: 2,
  });
}
