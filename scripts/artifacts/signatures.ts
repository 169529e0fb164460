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
  const { text, results } = await verifications(signed, keys, now);
  const counted = new Set<string>();
  const refused: Record<string, string> = {};
  for (const signer of signers) {
    const key = keys.find((candidate) => fingerprintOf(candidate) === signer);
    if (key === undefined) {
      refused[signer] = "its public key is not at hand";
      continue;
    }
    refused[signer] = "it did not sign";
    for (const result of results) {
      if (!key.getKeys(result.keyID).length) continue;
      const problem = await problemWith(key, result, now);
      if (problem === undefined) counted.add(signer);
      else refused[signer] = problem;
    }
    if (counted.has(signer)) delete refused[signer];
  }
  return { sums: text, counted: [...counted], refused };
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

async function verifications(
  signed: SignedSums,
  keys: PublicKey[],
  now: Date,
): Promise<{ text: string; results: VerificationResult[] }> {
  if (signed.sums.startsWith(clearSigned)) {
    const message = await readCleartextMessage({ cleartextMessage: signed.sums });
    const { signatures } = await verify({ message, verificationKeys: keys, date: now });
    return { text: message.getText(), results: signatures };
  }
  const results: VerificationResult[] = [];
  for (const material of signed.signatures) {
    const text = Buffer.from(material).toString("latin1");
    const signature = text.includes(armored)
      ? await readSignature({ armoredSignature: text })
      : await readSignature({ binarySignature: material });
    const message = await createMessage({ binary: Buffer.from(signed.sums, "utf8") });
    const { signatures } = await verify({ message, signature, verificationKeys: keys, date: now });
    results.push(...signatures);
  }
  return { text: signed.sums, results };
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
