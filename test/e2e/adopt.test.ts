import { RunInstancesCommand, TerminateInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { generateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { stringify } from "yaml";
import { ClusterSetup } from "../../bootstrap/contract/configuration/cluster-setup.ts";
import { referenceOf } from "../../bootstrap/contract/configuration/secret-reference.ts";
import { eclairApi } from "../../scripts/lab/guest/eclair-api.ts";
import { permitEclairPackets } from "../../scripts/lab/guest/eclair-packets.ts";
import { minerPort, services } from "../../scripts/lab/addresses.ts";
import { deployLabStack, setupFile, writeSetup } from "../../scripts/lab-cluster/stack.ts";
import { readFacts, type LabFacts } from "../../scripts/lab/facts.ts";
import { DatabaseAdmin } from "../../scripts/lab/rds/database-admin.ts";
import { labPaths } from "../../scripts/lab/paths.ts";
import { labSettings, labTarget } from "../../scripts/lab/target.ts";
import { waitForBoot, cli, eventually, failureOf, inGuest } from "./cli.ts";
import { terminateDuringSetup, expectDeniedCall } from "./cut-off.ts";
import { withoutBlockDelay, TestMiner } from "./miner.ts";
import { cluster, type Cluster } from "./node.ts";

const state = inject("labState");
const lab = labPaths(state);
const target = labTarget(lab);
const miner = new TestMiner(lab);

/**
 * A node that this project did not create: Eclair created the seeds, bitcoind holds the keys of the wallet, and Eclair
 * connects with a given login.
 */
const unmanagedNode = (setup: ClusterSetup, login: { username: string; password: string }) => `
set -e
install -d -o eclair -g eclair -m 700 /run/eclair
install -d -o bitcoin -g bitcoin /run/node
cp /run/credentials/@system/eclair-ami.database-ca /run/node/ca.pem; chmod 644 /run/node/ca.pem
setpriv --reuid=bitcoin --regid=bitcoin --clear-groups bitcoind -regtest -datadir=/run/node -daemonwait -txindex=1 \
  -connect=${services.miner}:${minerPort} -rpcuser=t -rpcpassword=t -fallbackfee=0.00002 -addresstype=bech32m -changetype=bech32m \
  -zmqpubhashblock=tcp://127.0.0.1:29000 -zmqpubrawtx=tcp://127.0.0.1:29001 >/dev/null
bitcoin-cli -regtest -rpcuser=t -rpcpassword=t createwallet old >/dev/null
cat > /run/eclair/eclair.conf <<'CONF'
eclair {
  chain = regtest
  node-alias = old
  bitcoind { rpcport = 18443, rpcuser = t, rpcpassword = t, wallet = old
    zmqblock = "tcp://127.0.0.1:29000", zmqtx = "tcp://127.0.0.1:29001" }
  db { driver = postgres, postgres { host = "${setup.database.host}", username = "${login.username}"
    lock-type = lease, lease { interval = 15 seconds, renew-interval = 5 seconds }
    database = "eclair?sslmode=verify-full&sslrootcert=/run/node/ca.pem" } }
  api { enabled = true, port = 8080
    password = "old"
  }
}
eclair.channel.max-block-processing-delay = 0 seconds
eclair.db.postgres.password = ${JSON.stringify(login.password)}
CONF
chown eclair:eclair /run/eclair/eclair.conf`;

const start = `${permitEclairPackets}; setsid setpriv --reuid=eclair --regid=eclair --clear-groups \
  /opt/eclair/bin/eclair-run -Declair.datadir=/run/eclair > /run/node/eclair.log 2>&1 < /dev/null & echo $! > /run/node/pid`;
const stop = "kill $(cat /run/node/pid); while [ -d /proc/$(cat /run/node/pid) ]; do sleep 0.2; done";
const bitcoinCli = "bitcoin-cli -regtest -rpcuser=t -rpcpassword=t -rpcwallet=old";

describe.each(inject("images"))(
  "a database that the $eclair Eclair created",
  { timeout: 400_000 },
  ({ eclair, id: imageId }) => {
    const name = `adopt-${eclair}`;
    const real = eclair === "real";
    let setup: ClusterSetup;
    let secrets: SecretsManagerClient;
    let oldInstanceId: string;
    let peer: Cluster;
    let peerId: string;
    let nodeId: string;
    let seeds: { nodeSeed: string; channelSeed: string };

    /** Creates a database role for the old node, with the name of the later runtime role, and returns its login. */
    async function createLogin(
      owner: string,
      facts: LabFacts,
    ): Promise<{ username: string; password: string }> {
      await new DatabaseAdmin(lab, facts, name).sql(
        `set role "${owner}"; create role eclair login password 'old'; grant create on database eclair to eclair; grant create on schema public to eclair`,
      );
      return { username: "eclair", password: "old" };
    }

    const adopt = (...flags: string[]) =>
      cli(["adopt", "--state", state, "--image", imageId, "--config", setupFile(lab, name), ...flags]);
    const api = (call: string, form = "") =>
      eclairApi(lab, oldInstanceId, call, form).catch(async (error: unknown) => {
        // The end of Eclair's log explains why the API does not answer.
        const { stdout } = await inGuest(
          state,
          oldInstanceId,
          "tail -n 15 /run/node/eclair.log | cut -c 1-300",
        );
        throw new Error(`${String(error)}\n${stdout}`, { cause: error });
      });
    const shell = async (script: string) => {
      const result = await inGuest(state, oldInstanceId, script);
      expect(result.exitCode, result.all).toBe(0);
      return result.stdout.trim();
    };

    beforeAll(async () => {
      const facts = readFacts(lab);
      if (facts === undefined) throw new Error("the lab is not up");
      secrets = new SecretsManagerClient(labSettings(facts));
      await deployLabStack(lab, facts, target, { name, network: "shared" });
      setup = await writeSetup(lab, target, name);
      const { Instances } = await target.client(EC2Client).send(
        new RunInstancesCommand({
          ImageId: imageId,
          MinCount: 1,
          MaxCount: 1,
          InstanceType: "t3.medium",
          SubnetId: target.instance.subnetId,
        }),
      );
      oldInstanceId = Instances?.[0]?.InstanceId ?? "";
      await waitForBoot(state, oldInstanceId);
      const owner = referenceOf(setup.database.ownerSecret).id;
      const { SecretString = "" } = await secrets.send(new GetSecretValueCommand({ SecretId: owner }));
      const login = JSON.parse(SecretString) as { username: string; password: string };
      await shell(unmanagedNode(setup, real ? login : await createLogin(login.username, facts)));
      await shell(start);
      const info = await eventually("the old node's API", () =>
        api("getinfo").then(
          (response) => response as { nodeId: string },
          () => undefined,
        ),
      );
      nodeId = info.nodeId;
      writeFileSync(setupFile(lab, name), stringify({ ...setup, nodeId }));
      const hex = async (file: string) => await shell(`od -An -tx1 -v /run/eclair/${file} | tr -d ' \\n'`);
      seeds = { nodeSeed: await hex("node_seed.dat"), channelSeed: await hex("channel_seed.dat") };
      if (!real) return;
      peer = await cluster(state, "adopt-peer", imageId);
      peerId = await peer.launch(imageId, withoutBlockDelay);
      await peer.waitUntilActive(peerId);
    });
    afterAll(async () => {
      await target
        .client(EC2Client)
        .send(new TerminateInstancesCommand({ InstanceIds: [oldInstanceId, ...(real ? [peerId] : [])] }));
    });

    async function connect(call: typeof api): Promise<void> {
      const address = (await peer.status(peerId))?.privateIp ?? "";
      await call("connect", `uri=${peer.configuration.nodeId}@${address}:9735`);
    }

    const waitForChannel = async (call: typeof api, expectedState: string) =>
      await miner.mineUntil(`the channel to be ${expectedState}`, async () => {
        const channels = (await call("channels")) as { channelId: string; state: string }[];
        return channels.find((channel) => channel.state === expectedState);
      });

    test.runIf(real)("the node has coins in bitcoind's wallet and an open channel", async () => {
      await miner.fund(await shell(`${bitcoinCli} getnewaddress`));
      await eventually("the coins in bitcoind's wallet", async () =>
        Number(await shell(`${bitcoinCli} getbalance`)) > 0 ? true : undefined,
      );
      await connect(api);
      await api(
        "open",
        `nodeId=${peer.configuration.nodeId}&fundingSatoshis=1000000&fundingFeeBudgetSatoshis=20000`,
      );
      expect((await waitForChannel(api, "NORMAL")).channelId).toMatch(/^[0-9a-f]{64}$/);
    });

    test("adopt refuses the database while the old node runs", async () => {
      const content = {
        ...seeds,
        mnemonic: generateMnemonic(wordlist, 256),
        birthday: Math.floor(Date.now() / 1000),
      };
      await secrets.send(
        new CreateSecretCommand({ Name: `${name}/seeds`, SecretString: JSON.stringify(content) }),
      );
      const run = await adopt("--confirm-wallet-retained", "--json");
      expect(failureOf(run), run.all).toMatchObject({ code: "database.in-use" });
      expect(run.stdout).toMatch(/the lease is held for \d+ s more; a session of /);
      await shell(stop);
    });

    test("init refuses the database, because an Eclair uses it already", async () => {
      const run = await cli([
        "init",
        "--state",
        state,
        "--image",
        imageId,
        "--config",
        setupFile(lab, name),
        "--json",
      ]);
      expect(failureOf(run), run.all).toMatchObject({ code: "database.not-empty" });
    });

    test.runIf(real)("adopt refuses another channel seed", async () => {
      const original = await secrets.send(new GetSecretValueCommand({ SecretId: `${name}/seeds` }));
      const changed = {
        ...(JSON.parse(original.SecretString ?? "") as object),
        channelSeed: randomBytes(32).toString("hex"),
      };
      const put = (text = "") =>
        secrets.send(new PutSecretValueCommand({ SecretId: `${name}/seeds`, SecretString: text }));
      await put(JSON.stringify(changed));
      const run = await adopt("--confirm-wallet-retained", "--json");
      expect(failureOf(run), run.all).toMatchObject({ code: "adopt.wrong-channel-seed" });
      await put(original.SecretString);
    });

    test("adopt requires that the old wallet is retained, and shows the channels", async () => {
      const run = await adopt("--json");
      expect(failureOf(run), run.all).toMatchObject({ code: "adopt.wallet-not-confirmed" });
      expect(run.stdout).toMatch(
        real ? /1 DATA_NORMAL; .*: 1000000 sat/ : /channels that are not closed: none/,
      );
    });

    test.runIf(!real)("an interrupted adopt has the same result when it is run again", async () => {
      const run = () => adopt("--confirm-wallet-retained", "--json");
      await expectDeniedCall(lab, name, run, "TransactWriteItems", "record.denied");
      await terminateDuringSetup(lab, name, run, [700, 1000, 1300]);
    });

    test("adopt takes over the database, and a second adopt changes nothing", async () => {
      const run = await adopt("--confirm-wallet-retained");
      expect(run.exitCode, run.all).toBe(0);
      for (const created of real ? ["role eclair", "fence", "binding", "owner of", "record"] : [])
        expect(run.stdout).toMatch(new RegExp(`^created +${created}`, "m"));
      expect(run.stdout).toContain(nodeId);
      const secondRun = await adopt();
      expect(secondRun.stdout, secondRun.all).toMatch(/^created +nothing/m);
      const verified = await cli([
        "verify",
        "--state",
        state,
        "--image",
        imageId,
        "--config",
        setupFile(lab, name),
      ]);
      expect(verified.exitCode, verified.all).toBe(0);
    });

    test("an instance has the same node id, and no coin is lost", async () => {
      const nodes = await cluster(state, name, imageId);
      expect(nodes.configuration.nodeId).toBe(nodeId);
      const id = await nodes.launch(imageId, withoutBlockDelay);
      const status = await nodes.waitUntilActive(id);
      expect(status.report?.eclair.info?.nodeId).toBe(nodeId);
      if (real) await moveCoins(nodes, id);
      await nodes.terminate(id);
    });

    /** Moves the coins to the new keys and closes the channel, as docs/identity.md describes, and checks each satoshi. */
    async function moveCoins(nodes: Cluster, id: string): Promise<void> {
      const call: typeof api = (method, form) => nodes.api(id, method, form);
      const confirmed = async () => ((await call("onchainbalance")) as { confirmed: number }).confirmed;
      expect(await confirmed()).toBe(0);
      const sats = async (text: string) => Math.round(Number(await shell(text)) * 100_000_000);
      const balanceBefore = await sats(`${bitcoinCli} getbalance`);
      const address = (await call("getnewaddress")) as string;
      const transfer = JSON.parse(await shell(`${bitcoinCli} sendall '["${address}"]'`)) as { txid: string };
      const received = await miner.mineUntil("the coins to be confirmed", async () => {
        const now = await confirmed();
        return now === 0 ? undefined : now;
      });
      expect(received).toBe(balanceBefore - (await miner.feeOf(transfer.txid)));

      await connect(call);
      const { channelId } = await waitForChannel(call, "NORMAL");
      await call("close", `channelId=${channelId}`);
      const total = await miner.mineUntil("the coins of the closed channel to be confirmed", async () => {
        const now = await confirmed();
        return now === received ? undefined : now;
      });
      const transactions = (await call("onchaintransactions", "count=10&skip=0")) as { txid: string }[];
      const closing = transactions.find(({ txid }) => txid !== transfer.txid)?.txid ?? "";
      expect(total).toBe(received + 1_000_000 - (await miner.feeOf(closing)));
      expect(await sats(`${bitcoinCli} getbalance`)).toBe(0);
    }
  },
);
