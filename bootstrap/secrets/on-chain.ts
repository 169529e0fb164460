import { validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";

/** The source of a node's on-chain keys. */
export type OnChainSecret = {
  readonly mnemonic: string;
  readonly passphrase: string;
  /** Seconds since 1970. The wallet scans the chain from this time. */
  readonly birthday: number;
};

/** Whether a text is a BIP39 mnemonic in English with a valid checksum. */
export function isMnemonic(text: string): boolean {
  return validateMnemonic(text, wordlist);
}
