import { CreateSecretCommand, GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { parse, stringify } from "yaml";
import { Credentials } from "../../bootstrap/secrets/shapes.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { rpcPort } from "../../scripts/lab/miner/rpc.ts";
import { RemoteBitcoind } from "../../scripts/lab/remote-bitcoind/remote-bitcoind.ts";
import { cli, eventually, failureOf } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { pairOf } from "./pair.ts";

const state = inject("labState");
const imageId = inject("images").at(-1)?.id ?? "";
/** No other test uses a remote bitcoind with this number. */
const remoteNumber = 23;

describe("the rotation of the login at a remote bitcoind", () => {
  let nodes: Cluster;
  let remote: RemoteBitcoind;
  let ids: readonly string[];
  let setupFile: string;
  const secret = () => `${nodes.name}/bitcoind`;
  const flags = () => ["--state", state, "--image", imageId, "--config", setupFile];
  const epochs = async () => Number(await nodes.sql("select count(*) from eclair_ami.epoch"));

  const currentLogin = async () => {
    const { SecretString = "" } = await nodes.secrets.send(new GetSecretValueCommand({ SecretId: secret() }));
    return Credentials.parse(JSON.parse(SecretString));
  };
  /** The status of HTTP that the remote bitcoind answers a login with. */
  const statusOf = async (id: string, { username, password }: Credentials) =>
    (
      await nodes.inGuest(
        id,
        `curl --silent --output /dev/null --write-out '%{http_code}' --user '${username}:${password}' --data '{"method":"uptime"}' http://${remote.address}:${rpcPort}/`,
      )
    ).stdout;
  /** What an instance reports about the remote bitcoind, in a report that is newer than a time. */
  const reportedRemote = async (id: string, after: number) => {
    const { report, reportedAt = "" } = (await nodes.status(id)) ?? {};
    if (!(Date.parse(reportedAt) > after)) return undefined;
    return report?.bitcoinds?.find(({ name }) => name.startsWith(remote.address));
  };
  /** The gates have tried the restarted bitcoind after some seconds. A changed problem alone causes no report. */
  const waitUntilUsed = async () => {
    const after = Date.now() + 10_000;
    for (const id of ids)
      await eventually(`${id} to use the remote bitcoind`, async () => {
        const reported = await reportedRemote(id, after);
        return reported !== undefined && reported.problem === undefined ? true : undefined;
      });
  };
  const withLogins = async (change: (logins: readonly string[]) => readonly string[]) => {
    remote.logins = change(remote.logins);
    await remote.stop();
    await remote.start();
  };
  /** Runs the command, and does what it asks the operator to do. */
  const rotate = async (beforeInstalling: () => Promise<void>, ...more: string[]) => {
    const running = cli(["rotate", "bitcoind", ...flags(), ...more]);
    let output = "";
    running.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const line = await eventually("the line for bitcoin.conf", () =>
      Promise.resolve(/^rpcauth=(\S+)$/m.exec(output)?.[1]),
    );
    await beforeInstalling();
    await withLogins((logins) => [...logins, line]);
    return { line, result: await running };
  };

  beforeAll(async () => {
    nodes = await cluster(state, "bitcoind-login", imageId);
    const facts = readFacts(nodes.lab);
    if (facts === undefined) throw new Error("the lab does not run");
    remote = new RemoteBitcoind(nodes.lab, facts, remoteNumber);
    await remote.start();
    await nodes.secrets.send(
      new CreateSecretCommand({ Name: secret(), SecretString: JSON.stringify(RemoteBitcoind.secret) }),
    );
    const { local } = nodes.configuration.bitcoind;
    const bitcoind = { local, prefer: "remotes", remotes: [remote.configuration(secret())] };
    const first = await nodes.launch(imageId, { bitcoind });
    await nodes.waitUntilActive(first);
    ids = [first, await nodes.launch(imageId, { bitcoind })];
    await pairOf(nodes, ids);
    setupFile = join(nodes.lab.state, "clusters", `${nodes.name}-setup-bitcoind.yaml`);
    const setup = parse(readFileSync(nodes.setupFile, "utf8")) as { secrets: object };
    writeFileSync(
      setupFile,
      stringify({ ...setup, secrets: { ...setup.secrets, bitcoind: [secret(), "another/bitcoind"] } }),
    );
  });
  afterAll(async () => {
    await Promise.all(ids.map((id) => nodes.terminate(id)));
    await remote.remove();
  });

  test("the command names the secrets from which the operator must choose", async () => {
    const several = await cli(["rotate", "bitcoind", ...flags(), "--json"]);
    expect(failureOf(several)).toMatchObject({
      code: "rotation.no-secret",
      message: expect.stringMatching(new RegExp(`names ${secret()}, another/bitcoind$`)) as string,
    });
    const none = await cli(["rotate", "bitcoind", ...flags().slice(0, -1), nodes.setupFile, "--json"]);
    expect(failureOf(none)).toMatchObject({ code: "rotation.no-secret" });
  });

  test("until the next login is installed, the standby keeps the previous one and stays ready; then there is one switchover", async () => {
    const before = await currentLogin();
    const takeovers = await epochs();
    const { active, standby } = await pairOf(nodes, ids);
    const { line, result } = await rotate(
      async () => {
        await eventually("the test of the login to fail", async () =>
          (await nodes.status(standby))?.boot.message.includes("bitcoind.login-refused") === true
            ? true
            : undefined,
        );
        expect((await nodes.status(standby))?.report).toMatchObject({ ready: true });
        const reported = await reportedRemote(standby, 0);
        expect(reported).toBeDefined();
        expect(reported?.problem).toBeUndefined();
        expect(await currentLogin()).toEqual(before);
      },
      "--secret",
      secret(),
    );
    expect(result.exitCode, result.all).toBe(0);
    expect(result.stdout).toMatch(/^finished +no instance uses the previous password/m);
    expect(await epochs()).toBe(takeovers + 1);
    const after = await currentLogin();
    expect(after.username).toBe(before.username);
    expect(after.password).not.toBe(before.password);
    expect(result.all).not.toContain(after.password);

    await withLogins(() => [line]);
    expect(await statusOf(active, before)).toBe("401");
    expect(await statusOf(active, after)).toBe("200");
    await waitUntilUsed();
  });

  test("the only instance tests the next login before its Eclair starts again", async () => {
    const { active, standby } = await pairOf(nodes, ids);
    await nodes.terminate(standby);
    await nodes.waitUntilTerminated(standby);
    ids = [active];
    const takeovers = await epochs();
    const { result } = await rotate(
      async () => expect(await epochs()).toBe(takeovers),
      "--secret",
      secret(),
      "--restart",
    );
    expect(result.exitCode, result.all).toBe(0);
    expect(result.stdout).toMatch(new RegExp(`^restarted +${active}[^]*^promoted `, "m"));
    await nodes.waitUntilActive(active);
    expect(await epochs()).toBe(takeovers + 1);
  });
});
