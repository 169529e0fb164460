import { validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { isJsonText, parseSecretJson } from "./json.ts";
import { malformed } from "./malformed.ts";

/** The source of a node's on-chain keys, as exactly the text that Eclair's signer receives. */
export type OnChainSecret = {
  readonly mnemonic: string;
  readonly passphrase: string;
  /** Seconds since 1970. The wallet scans the chain from this time. */
  readonly birthday: number;
};

/**
 * Parses the on-chain secret: a BIP39 mnemonic in English, alone or in JSON with a passphrase and the birthday of the wallet.
 *
 * Eclair derives the keys from the bytes of mnemonic and passphrase, without the normalisation (NFKD) that BIP39 requires
 * (`LocalOnChainKeyManager`, `MnemonicCode.toSeed` of bitcoin-kmp). So the mnemonic must be the words with single spaces: any
 * other text of the same words has other keys. A passphrase that is not in NFKD is accepted here, because an adopted node may
 * have one; `notNormalised` finds it.
 */
export function parseOnChainSecret(text: string, secret: string, now = new Date()): OnChainSecret {
  const content = isJsonText(text) ? parseSecretJson(text, secret) : { mnemonic: text };
  return {
    mnemonic: mnemonicOf(content["mnemonic"], secret),
    passphrase: passphraseOf(content["passphrase"], secret),
    birthday: birthdayOf(content["birthday"], secret, now),
  };
}

function mnemonicOf(value: unknown, secret: string): string {
  if (typeof value !== "string") throw malformed(secret, "must contain a text for the key `mnemonic`");
  const mnemonic = value.trim();
  const unusual = /(?! )\s| {2,}/u.exec(mnemonic);
  if (unusual !== null) {
    const word = mnemonic.slice(0, unusual.index).split(" ").length;
    throw malformed(
      secret,
      `must separate the words of its mnemonic by single spaces: ${describeSpace(unusual[0])} follows word ${word}`,
    );
  }
  if (!validateMnemonic(mnemonic, wordlist))
    throw malformed(
      secret,
      "must contain a BIP39 mnemonic in English, in lower-case letters and with a valid checksum: alone, or in JSON as `mnemonic` with the optional keys `passphrase` and `birthday`",
    );
  return mnemonic;
}

function describeSpace(space: string): string {
  if (space.startsWith("  ")) return "more than one space";
  if (/[\r\n]/.test(space)) return "a line break";
  if (space === "\t") return "a tab";
  return `the space ${codePoint(space)}`;
}

function passphraseOf(value: unknown, secret: string): string {
  if (value === undefined) return "";
  if (typeof value !== "string") throw malformed(secret, "must contain a text for the key `passphrase`");
  // Half of a surrogate pair has no UTF-8 form, from which the keys are derived.
  if (!value.isWellFormed()) throw malformed(secret, "contains half of a surrogate pair in its passphrase");
  return value;
}

const millisecondsPerSecond = 1_000;
const secondsPerDay = 86_400;

function birthdayOf(value: unknown, secret: string, now: Date): number {
  if (value === undefined) return 0;
  const seconds =
    typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value)
      ? Math.floor(Date.parse(value) / millisecondsPerSecond)
      : value;
  if (typeof seconds !== "number" || !Number.isSafeInteger(seconds) || seconds < 0)
    throw malformed(
      secret,
      "must contain seconds since 1970, or a date such as 2026-01-31, for the key `birthday`",
    );
  // Clocks differ. A wallet that scans from a later time misses coins.
  if (seconds > now.getTime() / millisecondsPerSecond + secondsPerDay)
    throw malformed(
      secret,
      `contains a birthday in the future${seconds > now.getTime() / 2 ? ": the unit is seconds, not milliseconds" : ""}`,
    );
  return seconds;
}

/** A text in which JSON escapes stand for all characters beyond ASCII, by UTF-16 code units. */
const jsonEscaped = (text: string): string =>
  text.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

const codePoint = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/**
 * The first character of a passphrase that is not in the form NFKD of Unicode, which BIP39 requires, and what to store in its
 * place; undefined when every wallet derives the same keys from the passphrase.
 */
export function notNormalised(passphrase: string): { character: string; stored: string } | undefined {
  const normalised = passphrase.normalize("NFKD");
  if (normalised === passphrase) return undefined;
  for (const character of passphrase) {
    const replacement = character.normalize("NFKD");
    if (replacement !== character)
      return {
        character: `“${character}” (${codePoint(character)})`,
        stored: jsonEscaped(replacement),
      };
  }
  return { character: "the order of the combining marks", stored: "the marks in the canonical order" };
}
