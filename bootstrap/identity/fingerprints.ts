import { createHmac } from "node:crypto";
import type { OnChainSecret } from "../secrets/on-chain.ts";
import { masterSeed } from "./on-chain.ts";

/**
 * A one-way fingerprint identifies a secret and does not reveal it: HMAC-SHA256 with the secret as the key, which has at
 * least 128 random bits. The text is specific to this project, so no other program computes the same digest of the secret.
 * @returns 64 lower-case hex digits
 */
const fingerprint = (secret: Uint8Array, purpose: string): string =>
  createHmac("sha256", secret).update(`eclair-ami/v1 ${purpose}`).digest("hex");

export const channelSeedFingerprint = (seed: Uint8Array): string => fingerprint(seed, "channel seed");

/** Of mnemonic and passphrase together, because the wallet depends on both. */
export const onChainFingerprint = (secret: OnChainSecret): string =>
  fingerprint(masterSeed(secret), "on-chain key");
