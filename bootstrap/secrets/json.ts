import { parseDocument } from "yaml";
import { nearest } from "../contract/configuration/nearest.ts";
import { malformed } from "./malformed.ts";

/** The keys of a node's own secrets. One secret can contain several of them, and the login that RDS writes. */
const ownKeys = ["nodeSeed", "channelSeed", "mnemonic", "passphrase", "birthday", "password"] as const;
const loginKeys = [
  "username",
  "engine",
  "host",
  "port",
  "dbname",
  "dbInstanceIdentifier",
  "dbClusterIdentifier",
  "masterarn",
] as const;
const knownKeys: readonly string[] = [...ownKeys, ...loginKeys];

/** Whether the text of a secret is JSON with several keys, and not a value alone. */
export const isJsonText = (text: string): boolean => text.trimStart().startsWith("{");

/**
 * Parses the JSON of one of the node's own secrets. An unknown key and a key that occurs twice are refused: a node with
 * `Passphrase` for `passphrase` would have another wallet.
 */
export function parseSecretJson(text: string, secret: string): Record<string, unknown> {
  const content = parseJson(text);
  if (typeof content !== "object" || content === null || Array.isArray(content))
    throw malformed(secret, "must contain valid JSON with keys and values");
  const unknown = Object.keys(content).find((key) => !knownKeys.includes(key));
  if (unknown !== undefined)
    throw malformed(
      secret,
      `contains ${nameOf(unknown)}, which is not a known key${nearest(unknown, knownKeys)}. The known keys are ${ownKeys.join(", ")}`,
    );
  // JSON.parse uses the last of two equal keys.
  if (parseDocument(text, { uniqueKeys: true }).errors.some(({ code }) => code === "DUPLICATE_KEY"))
    throw malformed(secret, "contains a key twice");
  return content as Record<string, unknown>;
}

/** @returns undefined instead of the error of the parser, because that error quotes the secret */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.trim()) as unknown;
  } catch {
    return undefined;
  }
}

/** A key in a message; a text that does not look like a key could be a part of the secret. */
const nameOf = (key: string): string =>
  /^[A-Za-z][A-Za-z_-]{0,30}$/.test(key) ? `the key \`${key}\`` : "a key that is not shown";
