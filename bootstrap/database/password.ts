import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { EclairAmiError } from "../contract/errors.ts";

const iterations = 4096;
const saltBytes = 16;

/**
 * The verifier that PostgreSQL stores instead of a password (RFC 5803, SCRAM-SHA-256). As with psql's `\\password`, no
 * statement and no server log contains the password.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(saltBytes)): string {
  // Other characters require a preparation (RFC 4013) before the password is hashed.
  if (!/^[\x21-\x7e]+$/.test(password))
    throw new EclairAmiError({
      code: "secret.malformed",
      operation: "reading a secret",
      message: "the password of the runtime role must contain only printable ASCII characters and no spaces",
      remedy: "store a password of printable ASCII characters in the secret",
    });
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const mac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const storedKey = createHash("sha256").update(mac(salted, "Client Key")).digest("base64");
  const serverKey = mac(salted, "Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
