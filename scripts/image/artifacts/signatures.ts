import { createMessage, readCleartextMessage, verify, type PublicKey, type Signature } from "openpgp";
import { explain, readPublicKeys, readSignatures, type OpenPgpFile } from "./openpgp.ts";

export type SignedSums = {
  /** The text of a SHA256SUMS file, clear-signed or not. */
  readonly sums: string;
  /** Detached signatures of the sums. */
  readonly signatures: readonly OpenPgpFile[];
  readonly keys: readonly OpenPgpFile[];
};

export type SumsVerdict = {
  /** The signed text of the sums. */
  readonly sums: string;
  /** Fingerprints of the primary keys with a valid signature. */
  readonly validSigners: readonly string[];
  /** Why a named signer is not valid, by fingerprint. */
  readonly rejected: Readonly<Record<string, string>>;
  /** One line for each part of the files that cannot be used. */
  readonly problems: readonly string[];
};

type VerificationResult = Awaited<ReturnType<typeof verify>>["signatures"][number];

const clearSigned = "-----BEGIN PGP SIGNED MESSAGE-----";

/**
 * Verifies the signatures of the named signers. A signer is valid when primary key and signing subkey are valid and
 * not revoked, both at the time of the signature and at `now`.
 */
export async function verifySums(
  signed: SignedSums,
  signers: readonly string[],
  now: Date,
): Promise<SumsVerdict> {
  const keys = await Promise.all(signed.keys.map(readPublicKeys));
  const signatures = await Promise.all(signed.signatures.map(readSignatures));
  const clear = clearSignedPart(signed.sums);
  const clearText = clear === undefined ? signed.sums : await readClearText(clear);
  const problems = [...keys, ...signatures].flatMap((content) => content.problems);
  if (clearText === undefined) problems.push("the sums: the clear-signed text cannot be read");
  const verificationsBy = async (key: PublicKey) =>
    clear === undefined
      ? await detachedVerifications(
          signed.sums,
          signatures.flatMap(({ items }) => items),
          key,
          now,
        )
      : clearText === undefined
        ? []
        : await clearVerifications(clear, key, now);
  const validSigners: string[] = [];
  const rejected: Record<string, string> = {};
  for (const signer of signers) {
    const copies = keys.flatMap(({ items }) => items).filter((key) => fingerprintOf(key) === signer);
    const problem =
      copies.length === 0
        ? "no file contains a usable public key of this signer"
        : await signerProblem(copies, verificationsBy, now);
    if (problem === undefined) validSigners.push(signer);
    else rejected[signer] = problem;
  }
  return { sums: clearText ?? "", validSigners: [...new Set(validSigners)], rejected, problems };
}

/** Why no copy of a signer's key verifies a signature of the sums; undefined when one copy does. */
async function signerProblem(
  copies: readonly PublicKey[],
  verificationsBy: (key: PublicKey) => Promise<readonly VerificationResult[]>,
  now: Date,
): Promise<string | undefined> {
  let problem = "it did not sign";
  for (const key of copies) {
    // Each key is verified alone: a key id is short enough to be forged, a fingerprint is not.
    for (const result of await verificationsBy(key)) {
      if (key.getKeys(result.keyID).length === 0) continue;
      const signatureIssue = await signatureProblem(key, result, now);
      if (signatureIssue === undefined) return undefined;
      problem = signatureIssue;
    }
  }
  return problem;
}

/** The fingerprint of a primary key, 40 upper-case hex digits. */
export function fingerprintOf(key: PublicKey): string {
  return key.getFingerprint().toUpperCase();
}

/** The clear-signed message in a text, without the text around it. */
function clearSignedPart(sums: string): string | undefined {
  const start = sums.indexOf(clearSigned);
  return start === -1 ? undefined : sums.slice(start);
}

async function readClearText(cleartextMessage: string): Promise<string | undefined> {
  try {
    return (await readCleartextMessage({ cleartextMessage })).getText();
  } catch {
    return undefined;
  }
}

async function clearVerifications(
  cleartextMessage: string,
  key: PublicKey,
  now: Date,
): Promise<VerificationResult[]> {
  const message = await readCleartextMessage({ cleartextMessage });
  return (await verify({ message, verificationKeys: key, date: now })).signatures;
}

async function detachedVerifications(
  sums: string,
  signatures: readonly Signature[],
  key: PublicKey,
  now: Date,
): Promise<VerificationResult[]> {
  const results: VerificationResult[] = [];
  for (const signature of signatures) {
    const message = await createMessage({ binary: Buffer.from(sums, "utf8") });
    results.push(...(await verify({ message, signature, verificationKeys: key, date: now })).signatures);
  }
  return results;
}

async function signatureProblem(
  key: PublicKey,
  result: VerificationResult,
  now: Date,
): Promise<string | undefined> {
  try {
    await result.verified;
  } catch (error) {
    return `its signature is invalid: ${explain(error)}`;
  }
  const created = (await result.signature).packets[0]?.created;
  if (created === undefined || created === null) return "its signature has no creation time";
  for (const [when, date] of [
    ["at the time of the signature", created],
    ["now", now],
  ] as const) {
    try {
      await key.verifyPrimaryKey(date);
      await key.getSigningKey(result.keyID, date);
    } catch (error) {
      return `its key was not valid ${when} (${date.toISOString().slice(0, 10)}): ${explain(error)}`;
    }
  }
  return undefined;
}

/** When a key expires; undefined for a key that does not expire. */
export async function expiryOf(key: PublicKey): Promise<Date | undefined> {
  const expiry = await key.getExpirationTime();
  return expiry instanceof Date ? expiry : undefined;
}

/** The sha256 of a file name in the text of a SHA256SUMS file. */
export function digestIn(sums: string, fileName: string): string | undefined {
  for (const line of sums.split(/\r?\n/)) {
    const [, digest, path] = /^([0-9a-fA-F]{64}) [ *](.+)$/.exec(line) ?? [];
    if (path?.split("/").at(-1) === fileName) return digest?.toLowerCase();
  }
  return undefined;
}
