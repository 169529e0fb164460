/**
 * What the repetition of a call would do:
 * - `read`: nothing
 * - `broadcast`: nothing, because a bitcoind that knows the transaction answers as before
 * - `change`: it changes the state of the wallet once more, so it is never sent twice
 */
export type Effect = "read" | "broadcast" | "change";

/** The RPC calls of Eclair 0.13.0 to 0.14.1, from its source (BitcoinCoreClient, ZmqWatcher, Setup). */
const eclair = {
  abandontransaction: "change",
  estimatesmartfee: "read",
  fundrawtransaction: "change",
  getaddressinfo: "read",
  getbalances: "read",
  getbestblockhash: "read",
  getblock: "read",
  getblockchaininfo: "read",
  getblockcount: "read",
  getblockhash: "read",
  getmempoolentry: "read",
  getmempoolinfo: "read",
  getnetworkinfo: "read",
  getnewaddress: "change",
  getrawchangeaddress: "change",
  getrawmempool: "read",
  getrawtransaction: "read",
  gettxout: "read",
  gettxspendingprevout: "read",
  listlockunspent: "read",
  listtransactions: "read",
  listunspent: "read",
  listwallets: "read",
  lockunspent: "change",
  sendrawtransaction: "broadcast",
  sendtoaddress: "change",
  submitpackage: "broadcast",
  utxoupdatepsbt: "read",
  // With the keys in bitcoind's wallet, the call signs; it changes nothing in the wallet.
  walletprocesspsbt: "read",
} as const satisfies Readonly<Record<string, Effect>>;

export const eclairCalls = Object.keys(eclair);

/** The RPC calls of the gate and of the supervisor. */
export const gateCalls = [
  "createwallet",
  "estimatesmartfee",
  "getblock",
  "getblockchaininfo",
  "getblockhash",
  "getdescriptorinfo",
  "getindexinfo",
  "getnetworkinfo",
  "getrawtransaction",
  "gettxoutsetinfo",
  "getwalletinfo",
  "importdescriptors",
  "listdescriptors",
  "listlockunspent",
  "listtransactions",
  "listunspent",
  "listwalletdir",
  "listwallets",
  "loadwallet",
  "lockunspent",
  "sendrawtransaction",
  "setnetworkactive",
  "submitpackage",
] as const;

/** @returns undefined for a call that Eclair does not use */
export const effectOf = (method: string): Effect | undefined =>
  Object.hasOwn(eclair, method) ? eclair[method as keyof typeof eclair] : undefined;
