import { wordlist } from "@scure/bip39/wordlists/english.js";
import { validateMnemonic } from "@scure/bip39";

/** In JSON, the lines of a PEM are separated by `\n`, and names are in quotes, which have a backslash in JSON inside of JSON. */
const patterns: readonly { readonly kind: string; readonly pattern: RegExp }[] = [
  {
    kind: "a private key in PEM",
    pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:\s|\\[nr])+[A-Za-z0-9+/=\s\\]{40}/,
  },
  { kind: "an AWS access key id", pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/ },
  {
    kind: "an AWS secret access key",
    pattern: /secret_?access_?key(?:\\*["'])?\s*[=:]\s*(?:\\*["'])?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/i,
  },
  { kind: "an AWS secret access key", pattern: /aws_secret_access_key\s*[=:]\s*\S{20,}/i },
  { kind: "a seed of a node", pattern: /(?:node|channel)Seed\\*"\s*:\s*\\*"[0-9A-Za-z+/=]{40,}\\*"/ },
  { kind: "an extended private key", pattern: /\b[xtyzuv]prv[1-9A-HJ-NP-Za-km-z]{100,112}\b/ },
];

const mnemonicLengths = [24, 21, 18, 15, 12];

/**
 * The kind of secret that a text seems to contain. A mnemonic counts only with a valid checksum.
 * @returns undefined when the text seems to contain none
 */
export function secretIn(text: string): string | undefined {
  const found = patterns.find(({ pattern }) => pattern.test(text));
  return found?.kind ?? (containsMnemonic(text) ? "a BIP39 mnemonic" : undefined);
}

const words = new Set(wordlist);

function containsMnemonic(text: string): boolean {
  // A mnemonic has at least twelve short lower-case words in a row. Most files contain no such words.
  for (const [run] of text.matchAll(/\b[a-z]{3,8}(?:[\s,]+[a-z]{3,8}){11,}\b/g)) {
    let streak: string[] = [];
    for (const word of run.split(/[\s,]+/)) {
      if (!words.has(word)) {
        streak = [];
        continue;
      }
      streak.push(word);
      if (new Set(streak.slice(-12)).size < 6) continue;
      if (
        mnemonicLengths.some(
          (length) => streak.length >= length && validateMnemonic(streak.slice(-length).join(" "), wordlist),
        )
      )
        return true;
    }
  }
  return false;
}
