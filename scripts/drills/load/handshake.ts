import { secp256k1 } from "@noble/curves/secp256k1.js";
import { createCipheriv, createHash, hkdfSync } from "node:crypto";

/** The length of act one and of act two: a version, a public key and a tag. */
export const actBytes = 50;

const sha256 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * Act one of BOLT 8's handshake (https://github.com/lightning/bolts/blob/master/08-transport.md). Act two proves that the
 * process is alive and has the node's key, which an open port does not prove.
 * @param nodeId compressed public key in hex
 * @param ephemeral a private key of 32 bytes
 * @returns 50 bytes
 */
export function actOne(nodeId: string, ephemeral = secp256k1.utils.randomSecretKey()): Buffer {
  const remote = Buffer.from(nodeId, "hex");
  const chainingKey = sha256(Buffer.from("Noise_XK_secp256k1_ChaChaPoly_SHA256"));
  const ephemeralPublic = secp256k1.getPublicKey(ephemeral, true);
  const prologueHash = sha256(sha256(chainingKey, Buffer.from("lightning")), remote);
  const hash = sha256(prologueHash, ephemeralPublic);
  const shared = sha256(secp256k1.getSharedSecret(ephemeral, remote, true));
  const key = Buffer.from(hkdfSync("sha256", shared, chainingKey, Buffer.alloc(0), 64)).subarray(32);
  const cipher = createCipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 });
  cipher.setAAD(hash, { plaintextLength: 0 });
  cipher.final();
  return Buffer.concat([Buffer.of(0), ephemeralPublic, cipher.getAuthTag()]);
}
