import {
  createMessage,
  readCleartextMessage,
  readKeys,
  readSignature,
  verify,
  type PublicKey,
} from "openpgp";
import { messageOf } from "../core/failure.ts";

export type SignedSums = {
  /** The text of a SHA256SUMS file, clear-signed or not. */
  readonly sums: string;
  /** Detached signatures over it, armored or binary; each may hold several. */
  readonly signatures: readonly Uint8Array[];
  /** Public keys, armored or binary; each may hold several. */
  readonly keys: readonly Uint8Array[];
};

export type Verdict = {
  /** The sums' text as it was signed. */
  readonly sums: string;
  /** Fingerprints of the primary keys whose signature counts. */
  readonly counted: readonly string[];
  /** Why a named signer does not count, by fingerprint. */
  readonly refused: Readonly<Record<string, string>>;
};

type VerificationResult = Awaited<ReturnType<typeof verify>>["signatures"][number];

const clearSigned = "-----BEGIN PGP SIGNED MESSAGE-----";
const armored = "-----BEGIN PGP";

/**
 * Who of the named signers signed the sums. A signer counts when primary key and signing subkey are
 * valid and unrevoked both when they signed and at `now`.
 */
export async function whoSigned(signed: SignedSums, signers: readonly string[], now: Date): Promise<Verdict> {
  const keys = (await Promise.all(signed.keys.map(readPublicKeys))).flat();
  const counted: string[] = [];
  const refused: Record<string, string> = {};
  for (const signer of signers) {
    const own = keys.filter((key) => fingerprintOf(key) === signer);
    const problem = own.length === 0 ? "its public key is not at hand" : await problemOf(signed, own, now);
    if (problem === undefined) counted.push(signer);
    else refused[signer] = problem;
  }
  return { sums: await signedText(signed.sums), counted: [...new Set(counted)], refused };
}

/** Why none of a signer's copies of its key vouches for the sums, or undefined when one does. */
async function problemOf(
  signed: SignedSums,
  copies: readonly PublicKey[],
  now: Date,
): Promise<string | undefined> {
  let problem = "it did not sign";
  for (const key of copies) {
    // Against this key alone: a key id is short enough to be forged, a fingerprint is not.
    for (const result of await verifications(signed, key, now)) {
      if (key.getKeys(result.keyID).length === 0) continue;
      const found = await problemWith(key, result, now);
      if (found === undefined) return undefined;
      problem = found;
    }
  }
  return problem;
}

/** A primary key's fingerprint, 40 upper-case hex digits. */
export function fingerprintOf(key: PublicKey): string {
  return key.getFingerprint().toUpperCase();
}

export async function readPublicKeys(material: Uint8Array): Promise<PublicKey[]> {
  const text = Buffer.from(material).toString("latin1");
  const keys = text.includes(armored)
    ? await readKeys({ armoredKeys: text })
    : await readKeys({ binaryKeys: material });
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
  for (const material of signed.signatures) {
    const text = Buffer.from(material).toString("latin1");
    const signature = text.includes(armored)
      ? await readSignature({ armoredSignature: text })
      : await readSignature({ binarySignature: material });
    const message = await createMessage({ binary: Buffer.from(signed.sums, "utf8") });
    results.push(...(await verify({ message, signature, verificationKeys: key, date: now })).signatures);
  }
  return results;
}

async function problemWith(
  key: PublicKey,
  result: VerificationResult,
  now: Date,
): Promise<string | undefined> {
  try {
    await result.verified;
  } catch (error) {
    return `its signature is bad: ${messageOf(error)}`;
  }
  const packet = (await result.signature).packets[0];
  const created = packet?.created;
  if (created === undefined || created === null) return "its signature has no time";
  for (const [when, date] of [
    ["when it signed", created],
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

/** When the key, or the subkey that signed, stops being valid; undefined for never. */
export async function expiryOf(key: PublicKey): Promise<Date | undefined> {
  const expiry = await key.getExpirationTime();
  return expiry instanceof Date ? expiry : undefined;
}

/** The digest that a SHA256SUMS text gives for a file name. */
export function digestIn(sums: string, fileName: string): string | undefined {
  for (const line of sums.split(/\r?\n/)) {
    const found = /^([0-9a-fA-F]{64}) [ *](.+)$/.exec(line);
    if (found?.[2]?.split("/").at(-1) === fileName) return found[1]?.toLowerCase();
  }
  return undefined;
}
