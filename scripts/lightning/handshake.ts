import { secp256k1 } from "@noble/curves/secp256k1.js";
import { createCipheriv, createDecipheriv, createECDH, createHash, hkdfSync, type ECDH } from "node:crypto";
import { connect } from "node:net";

/** The length of act one and of act two: a version, a public key and a tag. */
const actBytes = 50;
const publicKeyBytes = 33;
const keyBytes = 32;
const nonce = Buffer.alloc(12);
const chaCha = "chacha20-poly1305";

const sha256 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** HKDF of BOLT 8. @returns the next chaining key, and the key of one act */
function deriveKeys(chainingKey: Buffer, secret: Buffer): [chainingKey: Buffer, actKey: Buffer] {
  const derived = Buffer.from(hkdfSync("sha256", secret, chainingKey, Buffer.alloc(0), 2 * keyBytes));
  return [derived.subarray(0, keyBytes), derived.subarray(keyBytes)];
}

/**
 * The secrets that can be shared with a public key: BOLT 8 hashes the compressed point, and OpenSSL computes its x coordinate only.
 * OpenSSL needs a third of the processor time of JavaScript, which the measured hosts need as well.
 */
function possibleSecrets(ecdh: ECDH, publicKey: Buffer): Buffer[] {
  let x: Buffer;
  try {
    x = ecdh.computeSecret(publicKey);
  } catch {
    // Not a point of the curve.
    return [];
  }
  return [2, 3].map((prefix) => sha256(Buffer.of(prefix), x));
}

/** The initiator's side of the first two acts of a handshake. */
export type Handshake = {
  /** 50 bytes. */
  readonly actOne: Buffer;
  /** Whether bytes are the second act of a process that has the private key of the node id. */
  readonly isActTwo: (bytes: Buffer) => boolean;
};

/**
 * Begins the handshake of BOLT 8 (https://github.com/lightning/bolts/blob/master/08-transport.md). Act two proves that the
 * process is alive and has the node's key, which an open port does not prove: a load balancer accepts a connection before it
 * has a target.
 * @param nodeId compressed public key in hex
 * @param ephemeral a private key of 32 bytes
 */
export function beginHandshake(nodeId: string, ephemeral = secp256k1.utils.randomSecretKey()): Handshake {
  const remote = Buffer.from(nodeId, "hex");
  const protocol = sha256(Buffer.from("Noise_XK_secp256k1_ChaChaPoly_SHA256"));
  const prologueHash = sha256(sha256(protocol, Buffer.from("lightning")), remote);
  const ephemeralPublic = secp256k1.getPublicKey(ephemeral, true);
  const hash = sha256(prologueHash, ephemeralPublic);
  const [chainingKey, firstKey] = deriveKeys(
    protocol,
    sha256(secp256k1.getSharedSecret(ephemeral, remote, true)),
  );
  const cipher = createCipheriv(chaCha, firstKey, nonce, { authTagLength: 16 });
  cipher.setAAD(hash, { plaintextLength: 0 });
  cipher.final();
  const tag = cipher.getAuthTag();

  const ecdh = createECDH("secp256k1");
  ecdh.setPrivateKey(ephemeral);
  const isActTwo = (bytes: Buffer): boolean => {
    const key = bytes.subarray(1, 1 + publicKeyBytes);
    if (bytes.length < actBytes || bytes[0] !== 0) return false;
    return possibleSecrets(ecdh, key).some((secret) => {
      const [, secondKey] = deriveKeys(chainingKey, secret);
      const decipher = createDecipheriv(chaCha, secondKey, nonce, { authTagLength: 16 });
      decipher.setAAD(sha256(sha256(hash, tag), key), { plaintextLength: 0 });
      decipher.setAuthTag(bytes.subarray(1 + publicKeyBytes, actBytes));
      try {
        decipher.final();
        return true;
      } catch {
        return false;
      }
    });
  };
  return { actOne: Buffer.concat([Buffer.of(0), ephemeralPublic, tag]), isActTwo };
}

/**
 * - `answered`: the node completed its part of the handshake
 * - `refused`: no connection was established
 * - `cut`: the connection ended before the answer, or the answer was not the node's
 * - `late`: there was no answer before the timeout
 */
export const handshakeOutcomes = ["answered", "refused", "cut", "late"] as const;
export type HandshakeOutcome = (typeof handshakeOutcomes)[number];

/** Begins a handshake with a node, and waits for its second act. */
export async function tryHandshake(
  nodeId: string,
  host: string,
  port: number,
  timeoutMilliseconds: number,
): Promise<HandshakeOutcome> {
  const { actOne, isActTwo } = beginHandshake(nodeId);
  const answer = await sendActOne(actOne, host, port, timeoutMilliseconds);
  return outcomeOf(answer, isActTwo);
}

/** What arrived after act one: as many bytes as act two has, or why they did not arrive. */
export type Answer = Buffer | Exclude<HandshakeOutcome, "answered">;

/** The outcome of a handshake. The check of act two takes milliseconds of a processor. */
export function outcomeOf(answer: Answer, isActTwo: Handshake["isActTwo"]): HandshakeOutcome {
  if (typeof answer === "string") return answer;
  return isActTwo(answer) ? "answered" : "cut";
}

/** Sends act one, and waits for as many bytes as act two has. */
export function sendActOne(
  actOne: Buffer,
  host: string,
  port: number,
  timeoutMilliseconds: number,
): Promise<Answer> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    let isConnected = false;
    const connection = connect({ host, port }, () => {
      isConnected = true;
      connection.write(actOne);
    });
    const end = (answer: Answer) => {
      clearTimeout(timer);
      resolve(answer);
      connection.destroy();
    };
    const timer = setTimeout(() => end("late"), timeoutMilliseconds);
    connection.on("data", (data) => {
      received = Buffer.concat([received, data]);
      if (received.length >= actBytes) end(received);
    });
    connection.on("error", () => end(isConnected ? "cut" : "refused"));
    connection.on("close", () => end(isConnected ? "cut" : "refused"));
  });
}
