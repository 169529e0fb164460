import { createHmac, randomBytes } from "node:crypto";
import type { Credentials } from "../secrets/shapes.ts";

/** The RPC calls of Eclair 0.13.0 to 0.14.1, from its source (BitcoinCoreClient, ZmqWatcher, Setup). */
const eclairCalls = [
  "abandontransaction",
  "estimatesmartfee",
  "fundrawtransaction",
  "getaddressinfo",
  "getbalances",
  "getbestblockhash",
  "getblock",
  "getblockchaininfo",
  "getblockcount",
  "getblockhash",
  "getmempoolentry",
  "getmempoolinfo",
  "getnetworkinfo",
  "getnewaddress",
  "getrawchangeaddress",
  "getrawmempool",
  "getrawtransaction",
  "gettxout",
  "gettxspendingprevout",
  "listlockunspent",
  "listtransactions",
  "listunspent",
  "listwallets",
  "lockunspent",
  "sendrawtransaction",
  "sendtoaddress",
  "submitpackage",
  "utxoupdatepsbt",
  "walletprocesspsbt",
] as const;

/** The RPC calls of the supervisor. */
const supervisorCalls = [
  "createwallet",
  "getblockchaininfo",
  "getdescriptorinfo",
  "getwalletinfo",
  "importdescriptors",
  "listdescriptors",
  "listwalletdir",
  "listwallets",
  "loadwallet",
] as const;

const saltBytes = 16;

/** The `rpcauth` value of a user: `name:salt$HMAC-SHA256(salt, password)`, from share/rpcauth of Bitcoin Core. */
export function rpcauth(
  { username, password }: Credentials,
  salt = randomBytes(saltBytes).toString("hex"),
): string {
  return `${username}:${salt}$${createHmac("sha256", salt).update(password).digest("hex")}`;
}

/** The two RPC users of a local bitcoind, each with a whitelist of its calls. */
export function rpcUsers(
  eclair: Credentials,
  supervisor: Credentials,
): { rpcauth: string; whitelist: string }[] {
  return [
    { rpcauth: rpcauth(eclair), whitelist: `${eclair.username}:${eclairCalls.join(",")}` },
    { rpcauth: rpcauth(supervisor), whitelist: `${supervisor.username}:${supervisorCalls.join(",")}` },
  ];
}
