import { rpcauth } from "../../contract/rpcauth.ts";
import type { Credentials } from "../../secrets/shapes.ts";
import { eclairCalls, gateCalls } from "./calls.ts";

/** The two RPC users of a local bitcoind, each with a whitelist of its calls. */
export function rpcUsers(eclair: Credentials, gate: Credentials): { rpcauth: string; whitelist: string }[] {
  return [
    { rpcauth: rpcauth(eclair), whitelist: `${eclair.username}:${eclairCalls.join(",")}` },
    { rpcauth: rpcauth(gate), whitelist: `${gate.username}:${gateCalls.join(",")}` },
  ];
}
