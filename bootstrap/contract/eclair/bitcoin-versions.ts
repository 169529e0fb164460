import { compareVersions } from "./versions.ts";

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

/** The version of a bitcoind, such as `28.1.0`, from the number in the answer to `getnetworkinfo`, such as 280100. */
export const bitcoinVersionOf = (number: number): string =>
  [Math.floor(number / 10_000), Math.floor(number / 100) % 100, number % 100].join(".");
