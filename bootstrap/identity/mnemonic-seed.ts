import { pbkdf2Sync } from "node:crypto";

/**
 * The seed of BIP32 that BIP39 derives from a mnemonic.
 * @param mnemonic words that the checks of BIP39 have accepted
 * @returns 64 bytes
 */
export const mnemonicSeed = (mnemonic: string, passphrase = ""): Uint8Array =>
  pbkdf2Sync(mnemonic.normalize("NFKD"), `mnemonic${passphrase.normalize("NFKD")}`, 2048, 64, "sha512");
