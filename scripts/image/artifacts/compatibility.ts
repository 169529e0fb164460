import { minimumBitcoinVersion } from "../../../bootstrap/contract/eclair/bitcoin-versions.ts";
import { compareVersions } from "../../../bootstrap/contract/eclair/versions.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";

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
