import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { requireNextBitcoindLogin } from "../../../bootstrap/boot/next-bitcoind-login.ts";
import type { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";

const login = { username: "eclair", password: "next" };
const pinned = { secretIds: ["arn:a", "demo/bitcoind"], versionId: "v2", isTested: false };
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A bitcoind that accepts one password. @returns the entry of `bitcoind.remotes` */
async function remote({
  password = login.password,
  error = null as object | null,
  secret = "demo/bitcoind",
}) {
  const expected = `Basic ${Buffer.from(`eclair:${password}`).toString("base64")}`;
  const server = createServer((request, response) => {
    response.statusCode = request.headers.authorization === expected ? (error === null ? 200 : 500) : 401;
    response.end(response.statusCode === 401 ? "" : JSON.stringify({ result: {}, error }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const rpcPort = (server.address() as AddressInfo).port;
  const zmq = "127.0.0.1:1";
  return { host: "127.0.0.1", rpcPort, zmqBlock: zmq, zmqTx: zmq, secret, tls: "off" as const };
}

const configurationOf = (...remotes: object[]) => ({ bitcoind: { remotes } }) as unknown as NodeConfiguration;

test.each([
  ["answers", {}],
  ["answers with an error", { error: { code: -32_601, message: "Method not found" } }],
])("the next login is accepted by a bitcoind that %s", async (_, options) => {
  const configuration = configurationOf(await remote(options));
  await expect(requireNextBitcoindLogin(configuration, [login], pinned)).resolves.toBeUndefined();
});

test("a boot does not continue with a login that one of the bitcoinds refuses", async () => {
  const [first, second] = [await remote({}), await remote({ password: "previous" })];
  const configuration = configurationOf(first, second);
  await expect(requireNextBitcoindLogin(configuration, [login, login], pinned)).rejects.toMatchObject({
    code: "bitcoind.login-refused",
    operation: `testing the next login at bitcoind 127.0.0.1:${second.rpcPort}`,
    message: expect.stringMatching(/secret demo\/bitcoind .* refuses the login of the user eclair/) as string,
    retryable: true,
  });
});

test("a boot does not continue while a bitcoind starts, or does not answer", async () => {
  const starting = await remote({ error: { code: -28, message: "Loading block index" } });
  await expect(requireNextBitcoindLogin(configurationOf(starting), [login], pinned)).rejects.toMatchObject({
    code: "bitcoind.login-untested",
    message: expect.stringMatching(/Loading block index/) as string,
  });
  for (const server of servers.splice(0)) server.close();
  await expect(requireNextBitcoindLogin(configurationOf(starting), [login], pinned)).rejects.toMatchObject({
    code: "bitcoind.login-untested",
    message: expect.stringMatching(/ECONNREFUSED/) as string,
    retryable: true,
  });
});

test("only a rotation of the secret of a bitcoind tests a login there, until another instance has tested it", async () => {
  const refusing = await remote({ password: "another" });
  const other = await remote({ password: "another", secret: "demo/other" });
  for (const [entry, version] of [
    [refusing, undefined],
    [other, pinned],
    [refusing, { ...pinned, isTested: true }],
  ] as const)
    await expect(requireNextBitcoindLogin(configurationOf(entry), [login], version)).resolves.toBeUndefined();
});
