import { createHmac, randomBytes } from "node:crypto";

const saltBytes = 16;

/** The `rpcauth` value of a user of bitcoind: `name:salt$HMAC-SHA256(salt, password)`, from share/rpcauth of Bitcoin Core. */
export function rpcauth(
  { username, password }: { readonly username: string; readonly password: string },
  salt = randomBytes(saltBytes).toString("hex"),
): string {
  return `${username}:${salt}$${createHmac("sha256", salt).update(password).digest("hex")}`;
}
