import { createMessage, generateKey, sign, createCleartextMessage, type PrivateKey } from "openpgp";
import type { OpenPgpFile } from "../../scripts/image/artifacts/openpgp.ts";

const day = 24 * 60 * 60 * 1000;

/** The current time in the tests of keys and signatures. */
export const today = new Date("2026-06-01T12:00:00Z");
export const inDays = (days: number) => new Date(today.getTime() + days * day);

/** The contents of a file in memory. */
export const openPgpFile = (bytes: Uint8Array, name = "a file"): OpenPgpFile => ({ name, bytes });

export type Signer = {
  readonly privateKey: PrivateKey;
  readonly fingerprint: string;
  readonly key: Uint8Array;
};

/** Creates a key one year before `today` that expires `validDays` days after `today`. */
export async function createSigner(name: string, validDays = 3650): Promise<Signer> {
  const createdAt = inDays(-365);
  const { privateKey } = await generateKey({
    userIDs: [{ name }],
    type: "ecc",
    curve: "ed25519Legacy",
    date: createdAt,
    keyExpirationTime: (365 + validDays) * 24 * 60 * 60,
    format: "object",
  });
  return {
    privateKey,
    fingerprint: privateKey.getFingerprint().toUpperCase(),
    key: Buffer.from(privateKey.toPublic().armor()),
  };
}

export async function signDetached(text: string, signer: Signer, date = today): Promise<Uint8Array> {
  const message = await createMessage({ binary: Buffer.from(text) });
  return Buffer.from(await sign({ message, signingKeys: signer.privateKey, detached: true, date }));
}

export async function signClear(text: string, signer: Signer, date = today): Promise<string> {
  const message = await createCleartextMessage({ text });
  return await sign({ message, signingKeys: signer.privateKey, date });
}
