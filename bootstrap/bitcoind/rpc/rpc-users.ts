import { createHmac, randomBytes } from "node:crypto";
import { eclairCalls, gateCalls } from "./calls.ts";
import type { Credentials } from "../../secrets/shapes.ts";

const saltBytes = 16;

/** The `rpcauth` value of a user: `name:salt$HMAC-SHA256(salt, password)`, from share/rpcauth of Bitcoin Core. */
export function rpcauth(
  { username, password }: Credentials,
  salt = randomBytes(saltBytes).toString("hex"),
): string {
  return `${username}:${salt}$${createHmac("sha256", salt).update(password).digest("hex")}`;
}

/** The two RPC users of a local bitcoind, each with a whitelist of its calls. */
export function rpcUsers(eclair: Credentials, gate: Credentials): { rpcauth: string; whitelist: string }[] {
  return [
    { rpcauth: rpcauth(eclair), whitelist: `${eclair.username}:${eclairCalls.join(",")}` },
    { rpcauth: rpcauth(gate), whitelist: `${gate.username}:${gateCalls.join(",")}` },
  ];
}
