import type { Server } from "node:http";
import { rpcServer } from "../../bitcoind/gate/rpc-server.ts";
import { errorAnswer, resultAnswer, type RpcRequest } from "../../bitcoind/rpc/request.ts";

/** The login and the wallet in the unit of the check. */
export const checkLogin = { username: "check", password: "check" };
const wallet = "check";
/** A hash that is not the first block of any chain. */
const unknownGenesis = `${"0".repeat(62)}01`;
/** What Eclair asks bitcoind before it checks its configuration (`Setup.getBitcoinStatus`): a synchronized, empty node. */
const results = new Map<string, unknown>([
  ["getblockchaininfo", { initialblockdownload: false, verificationprogress: 1, blocks: 0, headers: 0 }],
  ["listwallets", [wallet]],
  ["getblockhash", unknownGenesis],
  ["getnetworkinfo", { version: 999_900 }],
  ["listunspent", []],
  ["getrawtransaction", ""],
]);

/**
 * An RPC server with which Eclair reaches the check of its configuration, and no further step: after the check, Eclair compares
 * the chain of bitcoind with its own chain and ends.
 */
export function statusServer(): Server {
  return rpcServer({
    login: () => checkLogin,
    wallet: () => wallet,
    pass: async (_path, _body, request) => await Promise.resolve({ status: 200, body: bodyOf(request) }),
  });
}

function bodyOf(request: RpcRequest): string {
  if (!request.calls.every(({ method }) => results.has(method)))
    return errorAnswer(request, "this server only answers what Eclair asks before its check");
  return resultAnswer(request, (method) => results.get(method));
}
