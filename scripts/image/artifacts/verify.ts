import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { OpenPgpFile } from "./openpgp.ts";
import { digestIn, verifySums, type SumsVerdict } from "./signatures.ts";

export type SignedFile = {
  /** The name of the file in messages. */
  readonly title: string;
  readonly sums: string;
  readonly signatures: readonly OpenPgpFile[];
  readonly keys: readonly OpenPgpFile[];
  readonly fileName: string;
  readonly sha256: string;
  readonly signers: readonly string[];
  readonly threshold: number;
  readonly now: Date;
};

/**
 * Requires that enough of the named signers signed the sums, and that the sums contain the sha256 of the file.
 * @returns the fingerprints of the valid signers
 */
export async function requireSigned(file: SignedFile): Promise<readonly string[]> {
  const operation = `verifying ${file.title}`;
  const verdict = await verifySums(file, file.signers, file.now);
  if (verdict.validSigners.length < file.threshold)
    throw new EclairAmiError({
      code: "artifact.signatures-insufficient",
      operation,
      message: describeShortage(verdict, file.threshold),
      remedy: "do not use the file; find the cause, or pin other signers with `eclair-ami artifacts pin`",
    });
  const signed = digestIn(verdict.sums, file.fileName);
  if (signed !== file.sha256)
    throw new EclairAmiError({
      code: "artifact.digest-mismatch",
      operation,
      message:
        signed === undefined
          ? `the signed sums do not contain ${file.fileName}`
          : `the signed sums contain ${signed} for ${file.fileName}, and the sha256 of the file is ${file.sha256}`,
      remedy: "do not use the file; download it again from the place of its release",
    });
  return verdict.validSigners;
}

/** Which signers are not valid, and why, and which files cannot be used. */
export function describeShortage(verdict: SumsVerdict, threshold: number): string {
  const reasons = Object.entries(verdict.rejected).map(([signer, reason]) => `  ${signer}: ${reason}`);
  return [
    `${verdict.validSigners.length} of the named signers have a valid signature, and ${threshold} are required`,
    ...reasons,
    ...verdict.problems.map((problem) => `  ${problem}`),
  ].join("\n");
}
