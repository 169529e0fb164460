import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basicAuthorization } from "../../../../bootstrap/bitcoind/rpc/client.ts";
import { ports } from "../../../../bootstrap/contract/ports.ts";
import { resultIn } from "../../../../bootstrap/eclair/check/check-configuration.ts";
import { checkLogin, statusServer } from "../../../../bootstrap/eclair/check/status-server.ts";
import { root } from "../../../../scripts/machine/paths.mjs";

describe("the server of the check", () => {
  const server = statusServer();
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    server.close();
  });

  const post = async (body: string) =>
    await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/wallet/check`, {
      method: "POST",
      headers: { authorization: basicAuthorization(checkLogin) },
      body,
    });
  const call = async (...methods: string[]) => {
    const response = await post(JSON.stringify(methods.map((method, id) => ({ id, method, params: [] }))));
    return (await response.json()) as { id: number; result: unknown; error: object | null }[];
  };

  test("answers what Eclair asks before its check, as a synchronized bitcoind", async () => {
    const [chain, ...others] = await call(
      "getblockchaininfo",
      "listwallets",
      "getblockhash",
      "getnetworkinfo",
      "listunspent",
      "getrawtransaction",
    );
    expect(chain).toEqual({
      id: 0,
      result: { initialblockdownload: false, verificationprogress: 1, blocks: 0, headers: 0 },
      error: null,
    });
    expect(others.map(({ id, error }) => [id, error])).toEqual([1, 2, 3, 4, 5].map((id) => [id, null]));
  });

  test("answers no other call", async () => {
    const [answer] = await call("listlockunspent");
    expect(answer).toMatchObject({ result: null, error: { code: -1 } });
  });

  test.each(["{", "[]", "7", '["getblockchaininfo"]'])("refuses the body %s", async (body) => {
    expect((await post(body)).status).toBe(400);
  });
});

test("the unit connects Eclair to this server, and binds another port than a node", () => {
  const unit = readFileSync(join(root, "packer/rootfs/etc/systemd/system/eclair-check.service"), "utf8");
  const settings = new Map(
    [...unit.matchAll(/-Declair\.(\S+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
  expect(Object.fromEntries(settings)).toMatchObject({
    "bitcoind.rpcport": String(ports.eclairCheckRpc),
    "bitcoind.rpcuser": checkLogin.username,
    "bitcoind.rpcpassword": checkLogin.password,
    "server.port": String(ports.eclairCheck),
  });
});

describe("the log of Eclair", () => {
  const logWith = (line: string) => `INFO  Setup - hello!\n${line}\n\tat fr.acinq.eclair.Boot$.main\n`;

  test("that ends with the comparison of the chains: the configuration is accepted", () => {
    const line =
      "ERROR f.a.e.Boot$ - fatal error: assertion failed: chainHash mismatch (conf=0f != bitcoind=01)";
    expect(resultIn(logWith(line))).toEqual({ accepted: true });
  });

  test("that ends with another error: the configuration is refused", () => {
    const error =
      "f.a.e.Boot$ - fatal error: requirement failed: channel.min-depth-blocks must be at least 6";
    expect(resultIn(logWith(`ERROR ${error}`))).toEqual({ accepted: false, reason: error });
  });

  test.each(["INFO  Setup - version=0.13.0", "ERROR akka.actor.ActorSystemImpl - exiting"])(
    "that ends with `%s` has no result",
    (line) => {
      expect(() => resultIn(logWith(line))).toThrow(/without a result.*eclair-check/);
    },
  );
});
