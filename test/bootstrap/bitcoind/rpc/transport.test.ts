import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NoAnswer, Transport } from "../../../../bootstrap/bitcoind/rpc/transport.ts";
import { createAuthority, issueCertificate } from "../../../../scripts/lab/rds/certificates.ts";

const folder = mkdtempSync(join(tmpdir(), "eclair-ami-tls-"));
const login = { username: "u", password: "p" };
let ca = "";
let port = 0;
let close: () => void = () => undefined;

beforeAll(async () => {
  const authority = await createAuthority(join(folder, "ca"), "test CA");
  ca = readFileSync(authority.certificate, "utf8");
  const { certificate, key } = await issueCertificate(authority, "localhost", folder);
  const server = createServer(
    { cert: readFileSync(certificate), key: readFileSync(key) },
    (request, response) => response.end(`${request.url} ${request.headers.authorization}`),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
  close = () => {
    server.closeAllConnections();
    server.close();
  };
});
afterAll(() => {
  close();
  rmSync(folder, { recursive: true });
});

function post(changes: object) {
  const zmq = { zmqBlock: "localhost:1", zmqTx: "localhost:1" };
  const endpoint = {
    name: "x",
    host: "localhost",
    rpcPort: port,
    ...zmq,
    eclair: login,
    gate: login,
    ...changes,
  };
  const transport = new Transport(endpoint);
  return transport
    .post("/wallet/w", "{}", "Basic x", { signal: AbortSignal.timeout(5_000) })
    .finally(() => transport.close());
}

test("verifies the certificate of a TLS front end", async () => {
  expect(await post({ tls: { ca } })).toEqual({ status: 200, body: "/wallet/w Basic x" });
});

test.each<[string, () => object, RegExp]>([
  ["an unknown authority", () => ({ tls: {} }), /certificate|issuer/i],
  [
    "another host's certificate",
    () => ({ host: "127.0.0.1", tls: { ca } }),
    /altnames|does not match|certificate/i,
  ],
  ["no TLS", () => ({}), /socket hang up|ECONNRESET|Parse Error/],
  ["a closed port", () => ({ tls: { ca }, rpcPort: 1 }), /ECONNREFUSED/],
])("does not talk to a server with %s", async (_name, changes, message) => {
  await expect(post(changes())).rejects.toThrow(message);
});

test("a request that did not reach bitcoind is known as such", async () => {
  const refused = await post({ rpcPort: 1 }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(NoAnswer);
  expect(refused).toMatchObject({ mayHaveArrived: false });
  const cut = await post({}).catch((error: unknown) => error);
  expect(cut).toMatchObject({ mayHaveArrived: true });
});

test.each([
  [
    "without TLS, a name that leads to a public address is refused",
    undefined,
    /example has the public address 8\.8\.8\.8/,
  ],
  ["a name that leads to a private address is used", { ca: "" }, /ECONNREFUSED/],
])("%s", async (_name, tls, message) => {
  const zmq = { zmqBlock: "localhost:1", zmqTx: "localhost:1" };
  const endpoint = { name: "x", host: "bitcoind.example", rpcPort: 1, ...zmq, eclair: login, gate: login };
  const address = tls === undefined ? "8.8.8.8" : "127.0.0.1";
  const transport = new Transport({ ...endpoint, ...(tls !== undefined && { tls }) }, () =>
    Promise.resolve([{ address, family: 4 }]),
  );
  await expect(transport.post("/", "{}", "", { signal: AbortSignal.timeout(5_000) })).rejects.toThrow(
    message,
  );
  transport.close();
});
