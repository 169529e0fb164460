import { z } from "zod";
import { isJsonText, parseJson, parseSecretJson } from "./json.ts";
import { malformed } from "./malformed.ts";

/** The length of the seeds that Eclair generates. */
const seedBytes = 32;

/** A login, as RDS writes it into the secrets that it manages. Other keys are ignored. */
export const Credentials = z.object({ username: z.string().min(1), password: z.string().min(1) });
export type Credentials = z.infer<typeof Credentials>;

export function parseCredentials(text: string, secret: string): Credentials {
  const parsed = Credentials.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw malformed(secret, "must contain JSON with `username` and `password`, as RDS writes it");
}

/**
 * Parses a seed of 32 bytes in hex or base64, which may be wrapped into several lines. The seed is the complete text of the
 * secret, or the value of `key` in the JSON of the secret, so one secret can contain several seeds.
 */
export function parseSeed(text: string, key: string, secret: string): Uint8Array {
  const value = valueAt(text, key, secret).replaceAll(/[ \t\r\n]/g, "");
  const isHex = /^[0-9a-f]*$/i.test(value);
  const expected = `must contain 32 bytes in hex or base64 for ${key}`;
  if (!isHex && !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw malformed(secret, expected);
  const bytes = Buffer.from(value, isHex ? "hex" : "base64");
  if (isHex && value.length % 2 === 1)
    throw malformed(secret, `${expected}, and contains ${value.length} hex digits`);
  if (bytes.length !== seedBytes) throw malformed(secret, `${expected}, and contains ${bytes.length} bytes`);
  return Uint8Array.from(bytes);
}

/** Parses a password: the complete text of the secret, or the value of `password` in the JSON of the secret. */
export function parsePassword(text: string, secret: string): string {
  const password = valueAt(text, "password", secret);
  if (password === "") throw malformed(secret, "must contain a password");
  return password;
}

function valueAt(text: string, key: string, secret: string): string {
  if (!isJsonText(text)) return text.trim();
  const value = parseSecretJson(text, secret)[key];
  if (typeof value !== "string")
    throw malformed(secret, `must contain a text for the key \`${key}\` of its JSON`);
  return value.trim();
}
