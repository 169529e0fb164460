import { readKeys, readSignature, type PublicKey, type Signature } from "openpgp";
import { messageOf } from "../../../bootstrap/contract/errors.ts";

/** A file with keys or signatures, and its name in messages: an URL or a path. */
export type OpenPgpFile = { readonly name: string; readonly bytes: Uint8Array };

/** What a file contains. `problems` has one line for each part that cannot be used. */
export type Content<T> = { readonly items: readonly T[]; readonly problems: readonly string[] };

/** The armor of RFC 9580, section 6.2. A file can contain several blocks, with text between them. */
const armoredBlock = /-----BEGIN PGP ([A-Z ]+)-----(?:(?!-----BEGIN PGP )[\s\S])*?-----END PGP \1-----/g;

/**
 * Reads the public keys of a file: any number of armored blocks, or binary keys one after another. An unusable key does not
 * hide the others.
 */
export async function readPublicKeys(file: OpenPgpFile): Promise<Content<PublicKey>> {
  return await readBlocks(file, "key", /KEY BLOCK$/, async (block) => {
    const keys = await (typeof block === "string"
      ? readKeys({ armoredKeys: block })
      : readKeys({ binaryKeys: block }));
    return keys.map((key) => key.toPublic());
  });
}

/** Reads the detached signatures of a file: any number of armored blocks, or binary signatures one after another. */
export async function readSignatures(file: OpenPgpFile): Promise<Content<Signature>> {
  return await readBlocks(file, "signature", /^SIGNATURE$/, async (block) => {
    const signature = await (typeof block === "string"
      ? readSignature({ armoredSignature: block })
      : readSignature({ binarySignature: block }));
    return signature.packets.length === 0 ? [] : [signature];
  });
}

async function readBlocks<T>(
  { name, bytes }: OpenPgpFile,
  kind: "key" | "signature",
  wantedType: RegExp,
  read: (block: string | Uint8Array) => Promise<readonly T[]>,
): Promise<Content<T>> {
  const text = Buffer.from(bytes).toString("latin1");
  const armored = [...text.matchAll(armoredBlock)];
  const items: T[] = [];
  const problems: string[] = [];
  const add = async (block: string | Uint8Array, where: string) => {
    const found = await read(block).catch(() => []);
    if (found.length === 0) problems.push(`${name}: ${where} contains no usable OpenPGP ${kind}`);
    items.push(...found);
  };
  if (armored.length === 0) {
    if (isBinary(bytes)) await add(bytes, "the file");
    else problems.push(`${name}: the file contains ${describeText(text)} and no OpenPGP ${kind}`);
  }
  for (const [index, [block, type = ""]] of armored.entries()) {
    const where = armored.length === 1 ? "the file" : `block ${index + 1} of ${armored.length}`;
    if (wantedType.test(type)) await add(block, where);
    else problems.push(`${name}: ${where} is a PGP ${type}, and an OpenPGP ${kind} is expected`);
  }
  return { items, problems };
}

/** The first bit of an OpenPGP packet is set (RFC 9580, section 4.2). */
const isBinary = ([first = 0]: Uint8Array) => first >= 0x80;

function describeText(text: string): string {
  if (text.trim() === "") return "nothing";
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return "a web page";
  if (text.includes("-----BEGIN PGP")) return "an incomplete armored block";
  return "text";
}

/** The problems that openpgp 6 reports about a key or a signature, in this project's words. */
const explanations: readonly [RegExp, string][] = [
  [/could not find primary user/i, "the key has no valid user id"],
  [/signing key packet.*expired/i, "its signing subkey has expired"],
  [/revoked/i, "the key is revoked"],
  [/primary key is expired|key is expired/i, "the key has expired"],
  [/key is newer than the signature/i, "the key is newer than the signature"],
  [/signed digest did not match|verification failed/i, "it signs other content"],
  [/signature is expired/i, "the signature has expired"],
  [/in the future/i, "its date is in the future"],
  [/could not find valid signing key/i, "the key has no valid signing key"],
  [/insecure (message )?hash|hash algorithm too weak/i, "it uses a hash algorithm that is not secure"],
  [/too weak|shorter than|insecure/i, "the key is too weak"],
  [/curve|unsupported|unknown/i, "it uses an algorithm that is not supported"],
];

/** Explains an error of openpgp. */
export function explain(error: unknown): string {
  const message = messageOf(error);
  return explanations.find(([pattern]) => pattern.test(message))?.[1] ?? "it cannot be verified";
}
