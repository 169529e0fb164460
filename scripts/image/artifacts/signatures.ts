import {
  createMessage,
  readCleartextMessage,
  readKeys,
  readSignature,
  verify,
  type PublicKey,
} from "openpgp";
import { messageOf } from "../../../bootstrap/contract/errors.ts";

export type SignedSums = {
  /** The text of a SHA256SUMS file, clear-signed or not. */
  readonly sums: string;
  /** Detached signatures of the sums, armored or binary; each item can contain several signatures. */
  readonly signatures: readonly Uint8Array[];
  /** Public keys, armored or binary; each item can contain several keys. */
  readonly keys: readonly Uint8Array[];
};

export type SumsVerdict = {
  /** The signed text of the sums. */
  readonly sums: string;
  /** Fingerprints of the primary keys with a valid signature. */
  readonly validSigners: readonly string[];
  /** Why a named signer is not valid, by fingerprint. */
  readonly rejected: Readonly<Record<string, string>>;
};

type VerificationResult = Awaited<ReturnType<typeof verify>>["signatures"][number];

const clearSigned = "-----BEGIN PGP SIGNED MESSAGE-----";
const armored = "-----BEGIN PGP";

/**
 * Verifies the signatures of the named signers. A signer is valid when primary key and signing subkey are valid and
 * not revoked, both at the time of the signature and at `now`.
 */
export async function verifySums(
  signed: SignedSums,
  signers: readonly string[],
  now: Date,
): Promise<SumsVerdict> {
  const keys = (await Promise.all(signed.keys.map(readPublicKeys))).flat();
  const validSigners: string[] = [];
  const rejected: Record<string, string> = {};
  for (const signer of signers) {
    const copies = keys.filter((key) => fingerprintOf(key) === signer);
    const problem =
      copies.length === 0 ? "its public key is missing" : await signerProblem(signed, copies, now);
    if (problem === undefined) validSigners.push(signer);
    else rejected[signer] = problem;
  }
  return { sums: await signedText(signed.sums), validSigners: [...new Set(validSigners)], rejected };
}

/** Why no copy of a signer's key verifies a signature of the sums; undefined when one copy does. */
async function signerProblem(
  signed: SignedSums,
  copies: readonly PublicKey[],
  now: Date,
): Promise<string | undefined> {
  let problem = "it did not sign";
  for (const key of copies) {
    // Each key is verified alone: a key id is short enough to be forged, a fingerprint is not.
    for (const result of await verifications(signed, key, now)) {
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

/** Reads public keys, armored or binary. */
export async function readPublicKeys(bytes: Uint8Array): Promise<PublicKey[]> {
  const text = Buffer.from(bytes).toString("latin1");
  const keys = text.includes(armored)
    ? await readKeys({ armoredKeys: text })
    : await readKeys({ binaryKeys: bytes });
  return keys.map((key) => key.toPublic());
}

async function signedText(sums: string): Promise<string> {
  if (!sums.startsWith(clearSigned)) return sums;
  return (await readCleartextMessage({ cleartextMessage: sums })).getText();
}

async function verifications(signed: SignedSums, key: PublicKey, now: Date): Promise<VerificationResult[]> {
  if (signed.sums.startsWith(clearSigned)) {
    const message = await readCleartextMessage({ cleartextMessage: signed.sums });
    return (await verify({ message, verificationKeys: key, date: now })).signatures;
  }
  const results: VerificationResult[] = [];
  for (const bytes of signed.signatures) {
    const text = Buffer.from(bytes).toString("latin1");
    const signature = text.includes(armored)
      ? await readSignature({ armoredSignature: text })
      : await readSignature({ binarySignature: bytes });
    const message = await createMessage({ binary: Buffer.from(signed.sums, "utf8") });
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
    return `its signature is invalid: ${messageOf(error)}`;
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
      return `its key was not valid ${when} (${date.toISOString().slice(0, 10)}): ${messageOf(error)}`;
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
