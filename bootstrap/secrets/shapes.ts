import { z } from "zod";
import { EclairAmiError } from "../contract/errors.ts";
import { isMnemonic, type OnChainSecret } from "./on-chain.ts";

/** The length of the seeds that Eclair generates. */
const seedBytes = 32;

/** A login, as RDS writes it into the secrets that it manages. Other keys are ignored. */
export const Credentials = z.object({ username: z.string().min(1), password: z.string().min(1) });
export type Credentials = z.infer<typeof Credentials>;

export function parseCredentials(text: string, secret: string): Credentials {
  const parsed = Credentials.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw malformed(secret, "JSON with `username` and `password`, as RDS writes it");
}

/**
 * Parses a seed of 32 bytes in hex or base64. The seed is the complete text of the secret, or the value of `key` in the
 * JSON of the secret, so one secret can contain several seeds.
 */
export function parseSeed(text: string, key: string, secret: string): Uint8Array {
  const value = valueAt(text, key, secret);
  const bytes = /^[0-9a-f]*$/i.test(value)
    ? Buffer.from(value, "hex")
    : /^[A-Za-z0-9+/]*={0,2}$/.test(value)
      ? Buffer.from(value, "base64")
      : undefined;
  if (bytes === undefined) throw malformed(secret, `32 bytes in hex or base64 for ${key}`);
  if (bytes.length !== seedBytes || (/^[0-9a-f]*$/i.test(value) && value.length % 2 === 1))
    throw malformed(secret, `32 bytes in hex or base64 for ${key}, and contains ${bytes.length} bytes`);
  return Uint8Array.from(bytes);
}

/** Parses a password: the complete text of the secret, or the value of `password` in the JSON of the secret. */
export function parsePassword(text: string, secret: string): string {
  const password = valueAt(text, "password", secret);
  if (password === "") throw malformed(secret, "a password");
  return password;
}

const OnChain = z.object({
  mnemonic: z.string().trim().refine(isMnemonic),
  passphrase: z.string().default(""),
  /** Seconds since 1970, or a date. */
  birthday: z
    .union([z.int().min(0), z.iso.date().transform((date) => Math.floor(Date.parse(date) / 1000))])
    .default(0),
});

/** Parses the on-chain secret: a BIP39 mnemonic, alone or in JSON with a passphrase and the birthday of the wallet. */
export function parseOnChainSecret(text: string, secret: string): OnChainSecret {
  const trimmed = text.trim();
  const parsed = OnChain.safeParse(trimmed.startsWith("{") ? parseJson(trimmed) : { mnemonic: trimmed });
  if (parsed.success) return parsed.data;
  throw malformed(
    secret,
    "a BIP39 mnemonic in English with a valid checksum: alone, or in JSON as `mnemonic` with the optional keys `passphrase` and `birthday` (seconds since 1970, or a date)",
  );
}

function valueAt(text: string, key: string, secret: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{")) return trimmed;
  const content = parseJson(trimmed);
  if (typeof content !== "object" || content === null) throw malformed(secret, "valid JSON");
  const value = (content as Record<string, unknown>)[key];
  if (typeof value !== "string") throw malformed(secret, `a string for the key \`${key}\` of its JSON`);
  return value.trim();
}

/** @returns undefined instead of the error of the parser, because that error quotes the secret */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function malformed(secret: string, expected: string): EclairAmiError {
  return new EclairAmiError({
    code: "secret.malformed",
    operation: "reading a secret",
    message: `secret ${secret} must contain ${expected}`,
    remedy: "store a valid value in the secret. The current value is not shown",
  });
}
