import { CreateSecretCommand, ResourceExistsException } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { readSecrets } from "../../infra/policies/statements.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { RemoteBitcoind } from "../../scripts/lab/remote-bitcoind/remote-bitcoind.ts";
import { startTlsFrontEnd } from "../../scripts/lab/remote-bitcoind/tls-front-end.ts";
import { eventually } from "./cli.ts";
import { TestMiner } from "./miner.ts";
import { cluster, type Cluster } from "./node.ts";

const state = inject("labState");
const imageId = inject("images").at(-1)?.id ?? "";
/** No other test uses remote bitcoinds with these numbers. */
const numbers = { good: 11, withoutTxindex: 12, otherChain: 13, otherCertificate: 14 };

describe("several bitcoinds", () => {
  let nodes: Cluster;
  let miner: TestMiner;
  let remotes: Record<keyof typeof numbers, RemoteBitcoind>;
  const secret = "bitcoinds/bitcoind";

  async function createSecret(Name: string, value: object): Promise<void> {
    const SecretString = JSON.stringify(value);
    try {
      await nodes.secrets.send(new CreateSecretCommand({ Name, SecretString }));
    } catch (error) {
      if (!(error instanceof ResourceExistsException)) throw error;
    }
  }
  const bitcoindsOf = async (id: string) => (await nodes.status(id))?.report?.bitcoinds ?? [];
  const chosenOf = async (id: string) => (await bitcoindsOf(id)).find(({ chosen }) => chosen)?.name;
  const untilChosen = (id: string, name: string) =>
    eventually(`${name} to be chosen`, async () => ((await chosenOf(id)) === name ? true : undefined));

  beforeAll(async () => {
    nodes = await cluster(state, "bitcoinds", imageId);
    miner = new TestMiner(nodes.lab);
    const facts = readFacts(nodes.lab);
    if (facts === undefined) throw new Error("the lab does not run");
    const create = (number: number) => new RemoteBitcoind(nodes.lab, facts, number);
    remotes = {
      good: create(numbers.good),
      withoutTxindex: create(numbers.withoutTxindex),
      otherChain: create(numbers.otherChain),
      otherCertificate: create(numbers.otherCertificate),
    };
    await nodes.allow(readSecrets(["bitcoinds/*"]));
    await createSecret(secret, RemoteBitcoind.secret);
    await Promise.all([
      remotes.good.start(),
      remotes.withoutTxindex.start({ txindex: false }),
      remotes.otherChain.start({ isConnected: false }),
      remotes.otherCertificate.start(),
    ]);
    await remotes.otherChain.client.mine(300);
  });
  afterAll(async () => {
    for (const remote of Object.values(remotes)) await remote.remove();
  });

  test("Eclair uses the remote bitcoind behind TLS, and the local one when the remote one ends, without a restart", async () => {
    const remote = await startTlsFrontEnd(nodes.lab, remotes.good, { number: numbers.good, secret });
    const { local } = nodes.configuration.bitcoind;
    const id = await nodes.launch(imageId, { bitcoind: { prefer: "remotes", remotes: [remote], local } });
    const { report } = await nodes.waitUntilActive(id);
    await eventually("the remote bitcoind to be chosen", async () =>
      (await chosenOf(id))?.startsWith("remote-") === true ? true : undefined,
    );
    const restarts =
      "systemctl show --property=MainPID --value eclair@a eclair@b; journalctl -u eclair@a -u eclair@b -o cat | grep -c instanceId=";
    const before = (await nodes.inGuest(id, restarts)).stdout;

    await remotes.good.signal("KILL");
    await untilChosen(id, "local");
    await miner.mine(1);
    const height = Number(await miner.rpc("getblockcount"));
    await eventually("Eclair to know the new block", async () =>
      ((await nodes.api(id, "getinfo")) as { blockHeight: number }).blockHeight >= height ? true : undefined,
    );
    expect((await nodes.inGuest(id, restarts)).stdout).toBe(before);
    expect((await nodes.status(id))?.report?.eclair.eclairInstanceId).toBe(report?.eclair.eclairInstanceId);
    const log = (await nodes.inGuest(id, "journalctl -u eclair-supervisor -o cat")).stdout;
    expect(log).toMatch(
      /"event":"bitcoind.chosen","bitcoind":"local","previous":"remote-.*","reason":"does not answer/,
    );
    await nodes.terminate(id);
    await nodes.waitUntilTerminated(id);
  });

  test("a remote bitcoind that Eclair must not use is refused with its reason", async () => {
    const wrongLogin = { ...remotes.otherCertificate.configuration(`${secret}-wrong`) };
    await createSecret(`${secret}-wrong`, { username: "lab", password: "wrong" });
    const otherCertificate = await startTlsFrontEnd(nodes.lab, remotes.otherCertificate, {
      number: numbers.otherCertificate,
      certificateNumber: numbers.good,
      secret,
    });
    // The chain of the active instance is known to the standby. A block is settled ten blocks below the tip.
    const active = await nodes.launch(imageId);
    await nodes.waitUntilActive(active);
    await miner.mine(12);
    await eventually("the chain of the active instance in its report", async () => {
      const bitcoind = (await nodes.status(active))?.report?.bitcoind;
      return bitcoind?.known === true && bitcoind.settledBlock !== undefined ? true : undefined;
    });
    const id = await nodes.launch(imageId, {
      bitcoind: {
        local: nodes.configuration.bitcoind.local,
        remotes: [
          remotes.withoutTxindex.configuration(secret),
          remotes.otherChain.configuration(secret),
          wrongLogin,
          otherCertificate,
        ],
      },
    });
    await expect
      .poll(async () => (await bitcoindsOf(id)).map(({ problem }) => problem), {
        timeout: 60_000,
        interval: 500,
      })
      .toEqual([
        undefined,
        "has no txindex",
        expect.stringMatching(/^is on another chain: its block \d+ is /),
        "does not answer: bitcoind refuses the login of the user lab: check the password",
        expect.stringMatching(/^does not answer: .*certificate/i),
      ]);
    await untilChosen(id, "local");
    await Promise.all([nodes.terminate(active), nodes.terminate(id)]);
  });
});
