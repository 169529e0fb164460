import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rpcServer } from "../../../../bootstrap/bitcoind/gate/rpc-server.ts";
import { basicAuthorization } from "../../../../bootstrap/bitcoind/rpc/client.ts";

const login = { username: "eclair", password: "p" };
const passed: string[] = [];
const server = rpcServer({
  login: () => login,
  wallet: () => "eclair",
  pass: (path, body) => {
    passed.push(`${path} ${body}`);
    return Promise.resolve({ status: 200, body: "[]" });
  },
});
let url = "";

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function post(body: string, path = "/wallet/eclair", credentials = login): Promise<number> {
  passed.splice(0);
  const headers = { authorization: basicAuthorization(credentials) };
  return (await fetch(`${url}${path}`, { method: "POST", headers, body })).status;
}
const calls = (...methods: string[]) =>
  JSON.stringify(methods.map((method) => ({ jsonrpc: "1.0", id: "scala-client", method, params: [] })));

test("passes the requests of Eclair unchanged", async () => {
  const body = calls("getblockcount", "getbestblockhash");
  expect(await post(body)).toBe(200);
  expect(passed).toEqual([`/wallet/eclair ${body}`]);
  expect(await post(body, "/")).toBe(200);
});

test.each<[string, number, Parameters<typeof post>]>([
  ["another password", 401, [calls("getblockcount"), "/", { ...login, password: "q" }]],
  ["another wallet", 404, [calls("getblockcount"), "/wallet/other"]],
  ["a call that Eclair does not use", 403, [calls("stop")]],
  ["such a call in a batch", 403, [calls("getblockcount", "dumpprivkey")]],
  ["a call that exists in every object", 403, [calls("constructor")]],
  ["no JSON", 400, ["{"]],
  ["an empty batch", 400, ["[]"]],
  ["a request without a method", 400, ['[{"id":1}]']],
])("refuses %s", async (_name, expected, request) => {
  expect(await post(...request)).toBe(expected);
  expect(passed).toEqual([]);
});
