import { createHmac } from "node:crypto";
import { mnemonicToSeedSync } from "@scure/bip39";
import type { OnChainSecret } from "./on-chain.ts";

/**
 * One-way fingerprints by which a secret can be recognised and never found: HMAC-SHA256, keyed with at least
 * 128 random bits, over a text of ours, so that no other program's digest of the same secret is the same.
 * @returns 64 lower-case hex digits
 */
const fingerprint = (secret: Uint8Array, purpose: string): string =>
  createHmac("sha256", secret).update(`eclair-ami/v1 ${purpose}`).digest("hex");

export const channelSeedFingerprint = (seed: Uint8Array): string => fingerprint(seed, "channel seed");

/** Of mnemonic and passphrase together: either of them makes another wallet. */
export const onChainFingerprint = ({ mnemonic, passphrase }: OnChainSecret): string =>
  fingerprint(mnemonicToSeedSync(mnemonic, passphrase), "on-chain key");
