import { pbkdf2Sync } from "node:crypto";
import { HARDENED_OFFSET, HDKey } from "@scure/bip32";
import type { Chain } from "../contract/configuration/node.ts";
import type { OnChainSecret } from "../secrets/on-chain.ts";

/** A descriptor that bitcoind watches, without its checksum. */
export type AccountDescriptor = {
  readonly text: string;
  /** Whether the descriptor is for change. */
  readonly internal: boolean;
};

/** The version bytes of extended keys (BIP32): xpub on mainnet, tpub on every test chain. */
const versions = {
  mainnet: { public: 0x0488b21e, private: 0x0488ade4 },
  test: { public: 0x043587cf, private: 0x04358394 },
} as const;

/** Eclair's LocalOnChainKeyManager: BIP84 and BIP86, account 0. */
const scripts = [
  { name: "wpkh", purpose: 84 },
  { name: "tr", purpose: 86 },
] as const;

/**
 * The seed of BIP32 that Eclair derives from the text of mnemonic and passphrase, without the normalisation of BIP39
 * (`MnemonicCode.toSeed` of bitcoin-kmp, which Eclair uses).
 * @returns 64 bytes
 */
export const masterSeed = ({ mnemonic, passphrase }: OnChainSecret): Uint8Array =>
  pbkdf2Sync(mnemonic, `mnemonic${passphrase}`, 2048, 64, "sha512");

/** The four descriptors of the accounts that Eclair's signer derives from the secret: receiving and change of each. */
export function accountDescriptors(secret: OnChainSecret, chain: Chain): AccountDescriptor[] {
  const version = chain === "mainnet" ? versions.mainnet : versions.test;
  const coin = chain === "mainnet" ? 0 : 1;
  const master = HDKey.fromMasterSeed(masterSeed(secret), version);
  const fingerprint = master.fingerprint.toString(16).padStart(8, "0");
  return scripts.flatMap(({ name, purpose }) => {
    const account = [purpose, coin, 0].reduce(
      (key, index) => key.deriveChild(HARDENED_OFFSET + index),
      master,
    );
    const origin = `[${fingerprint}/${purpose}h/${coin}h/0h]${account.publicExtendedKey}`;
    return [0, 1].map((branch) => ({ text: `${name}(${origin}/${branch}/*)`, internal: branch === 1 }));
  });
}
