import { secp256k1 } from "@noble/curves/secp256k1.js";
import { createCipheriv, createHash, hkdfSync } from "node:crypto";

/** Of both acts: a version, a public key and a tag. */
export const actBytes = 50;

const sha256 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * Act one of BOLT 8's handshake (https://github.com/lightning/bolts/blob/master/08-transport.md). A node answers it
 * with act two only when it lives and is the one that was asked for: an open port alone proves neither.
 * @param nodeId compressed public key in hex
 * @param ephemeral a private key of 32 bytes
 * @returns 50 bytes
 */
export function actOne(nodeId: string, ephemeral = secp256k1.utils.randomSecretKey()): Buffer {
  const remote = Buffer.from(nodeId, "hex");
  const chaining = sha256(Buffer.from("Noise_XK_secp256k1_ChaChaPoly_SHA256"));
  const own = secp256k1.getPublicKey(ephemeral, true);
  const asked = sha256(sha256(chaining, Buffer.from("lightning")), remote);
  const hash = sha256(asked, own);
  const shared = sha256(secp256k1.getSharedSecret(ephemeral, remote, true));
  const key = Buffer.from(hkdfSync("sha256", shared, chaining, Buffer.alloc(0), 64)).subarray(32);
  const cipher = createCipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 });
  cipher.setAAD(hash, { plaintextLength: 0 });
  cipher.final();
  return Buffer.concat([Buffer.of(0), own, cipher.getAuthTag()]);
}
