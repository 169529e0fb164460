import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { BootFailure } from "../failure.ts";

const iterations = 4096;
const saltBytes = 16;

/**
 * What PostgreSQL keeps of a password (RFC 5803, SCRAM-SHA-256): given this in place of the password, as psql's
 * `\\password` does, no statement and no server log ever holds the password itself.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(saltBytes)): string {
  // Beyond printable ASCII the password would have to be prepared (RFC 4013) before it is hashed.
  if (!/^[\x21-\x7e]+$/.test(password))
    throw new BootFailure({
      code: "secret.malformed",
      cause: "the runtime role's password must be of printable ASCII without spaces",
      remedy: "put such a password into the secret",
    });
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const mac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const storedKey = createHash("sha256").update(mac(salted, "Client Key")).digest("base64");
  const serverKey = mac(salted, "Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
