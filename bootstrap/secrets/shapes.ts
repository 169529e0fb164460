import { z } from "zod";
import { BootFailure } from "../failure.ts";
import { isMnemonic, type OnChainSecret } from "../identity/on-chain.ts";

/** Seeds have this many bytes: Eclair makes its own so. */
const seedBytes = 32;

/** What RDS writes into the secrets that it manages; it may say more about the database, which is not used. */
export const Credentials = z.object({ username: z.string().min(1), password: z.string().min(1) });
export type Credentials = z.infer<typeof Credentials>;

export function credentialsIn(text: string, secret: string): Credentials {
  const parsed = Credentials.safeParse(jsonIn(text));
  if (parsed.success) return parsed.data;
  throw malformed(secret, "JSON with `username` and `password`, as RDS writes it");
}

/**
 * A seed of 32 bytes in hex or base64: the secret's whole text, or the value of `key` in its JSON,
 * so that one secret can hold several.
 */
export function seedIn(text: string, key: string, secret: string): Uint8Array {
  const found = valueIn(text, key, secret);
  const bytes = /^[0-9a-f]*$/i.test(found)
    ? Buffer.from(found, "hex")
    : /^[A-Za-z0-9+/]*={0,2}$/.test(found)
      ? Buffer.from(found, "base64")
      : undefined;
  if (bytes === undefined) throw malformed(secret, `32 bytes in hex or base64 for ${key}`);
  if (bytes.length !== seedBytes || (/^[0-9a-f]*$/i.test(found) && found.length % 2 === 1))
    throw malformed(secret, `32 bytes in hex or base64 for ${key}, and has ${bytes.length} bytes`);
  return Uint8Array.from(bytes);
}

/** A password: the secret's whole text, or the value of `password` in its JSON. */
export function passwordIn(text: string, secret: string): string {
  const found = valueIn(text, "password", secret);
  if (found === "") throw malformed(secret, "a password");
  return found;
}

const OnChain = z.object({
  mnemonic: z.string().trim().refine(isMnemonic),
  passphrase: z.string().default(""),
  /** Seconds since 1970, or a date. */
  birthday: z
    .union([z.int().min(0), z.iso.date().transform((date) => Math.floor(Date.parse(date) / 1000))])
    .default(0),
});

/** The on-chain keys: a BIP39 mnemonic, alone or in JSON with a passphrase and the wallet's birthday. */
export function onChainIn(text: string, secret: string): OnChainSecret {
  const trimmed = text.trim();
  const parsed = OnChain.safeParse(trimmed.startsWith("{") ? jsonIn(trimmed) : { mnemonic: trimmed });
  if (parsed.success) return parsed.data;
  throw malformed(
    secret,
    "a BIP39 mnemonic in English whose checksum is right: alone, or in JSON as `mnemonic`, with `passphrase` and `birthday` (seconds since 1970, or a date) when there are any",
  );
}

function valueIn(text: string, key: string, secret: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{")) return trimmed;
  const value = jsonIn(trimmed);
  if (typeof value !== "object" || value === null) throw malformed(secret, "well-formed JSON");
  const found = (value as Record<string, unknown>)[key];
  if (typeof found !== "string") throw malformed(secret, `a text under the key \`${key}\` of its JSON`);
  return found.trim();
}

/** Never the parser's own message: it quotes what it read. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function malformed(secret: string, wanted: string): BootFailure {
  return new BootFailure({
    code: "secret.malformed",
    cause: `secret ${secret} must hold ${wanted}`,
    remedy: "put the right value into the secret; what is there is not shown",
  });
}
