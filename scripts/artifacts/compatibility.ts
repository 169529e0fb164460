import { compareVersions } from "../../bootstrap/eclair/schemas.ts";
import { Failure } from "../core/failure.ts";

/**
 * The oldest Bitcoin Core that each Eclair works with, from Eclair's release notes and its check at start
 * (`fr.acinq.eclair.Setup`). A version not listed is judged by the newest listed one before it.
 */
const oldestBitcoin: readonly (readonly [eclair: string, bitcoin: string])[] = [
  ["0.13.0", "28.1"],
  ["0.13.1", "29.0"],
  ["0.14.0", "30.0"],
  ["0.14.1", "31.0"],
];

/** What Eclair `eclair` needs of bitcoind, or undefined for an Eclair older than any we know. */
export function neededBitcoin(eclair: string): string | undefined {
  return oldestBitcoin.findLast(([version]) => compareVersions(version, eclair) <= 0)?.[1];
}

/** Refuses an Eclair with a bitcoind that it would refuse itself, at every start. */
export function requireCompatible(eclair: string, bitcoin: string): void {
  const needed = neededBitcoin(eclair);
  const doing = `putting Eclair ${eclair} and bitcoind ${bitcoin} into one image`;
  if (needed === undefined)
    throw new Failure({
      code: "artifact.compatibility",
      doing,
      cause: `Eclair ${eclair} is older than 0.13.0, the oldest that eclair-ami knows`,
      remedy: "take a newer Eclair",
      exit: 2,
    });
  if (compareVersions(bitcoin, needed) < 0)
    throw new Failure({
      code: "artifact.compatibility",
      doing,
      cause: `Eclair ${eclair} needs Bitcoin Core ${needed} or newer`,
      remedy: `take a bitcoind of ${needed} or newer, or an older Eclair`,
      exit: 2,
    });
}
