import { createHmac, randomBytes } from "node:crypto";
import type { Credentials } from "../secrets/shapes.ts";

/** The calls that Eclair 0.13.0 to 0.14.1 makes, from its source (BitcoinCoreClient, ZmqWatcher, Setup). */
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

/** The calls that the supervisor makes. */
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

/** What bitcoind keeps of a user: `name:salt$HMAC-SHA256(salt, password)`, from share/rpcauth of Bitcoin Core. */
export function rpcauth(
  { username, password }: Credentials,
  salt = randomBytes(saltBytes).toString("hex"),
): string {
  return `${username}:${salt}$${createHmac("sha256", salt).update(password).digest("hex")}`;
}

/** The two users of a bitcoind on the same host, each with its calls and no others. */
export function rpcUsers(
  eclair: Credentials,
  supervisor: Credentials,
): { rpcauth: string; whitelist: string }[] {
  return [
    { rpcauth: rpcauth(eclair), whitelist: `${eclair.username}:${eclairCalls.join(",")}` },
    { rpcauth: rpcauth(supervisor), whitelist: `${supervisor.username}:${supervisorCalls.join(",")}` },
  ];
}
