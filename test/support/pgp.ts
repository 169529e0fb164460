import { createMessage, generateKey, sign, createCleartextMessage, type PrivateKey } from "openpgp";

const day = 24 * 60 * 60 * 1000;

/** A fixed time for every key and signature of the tests. */
export const today = new Date("2026-06-01T12:00:00Z");
export const inDays = (days: number) => new Date(today.getTime() + days * day);

export type Signer = {
  readonly privateKey: PrivateKey;
  readonly fingerprint: string;
  readonly key: Uint8Array;
};

/** A key made a year before `today`, good for `goodForDays` days after it. */
export async function makeSigner(name: string, goodForDays = 3650): Promise<Signer> {
  const made = inDays(-365);
  const { privateKey } = await generateKey({
    userIDs: [{ name }],
    type: "ecc",
    curve: "ed25519Legacy",
    date: made,
    keyExpirationTime: (365 + goodForDays) * 24 * 60 * 60,
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
