import { RunInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { generateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { stringify } from "yaml";
import { ClusterSetup } from "../../bootstrap/config/cluster-setup.ts";
import { referenceOf } from "../../bootstrap/secrets/fetch.ts";
import { eclairApi } from "../../scripts/lab/cluster/eclair-api.ts";
import { minerPort, services } from "../../scripts/lab/addresses.ts";
import { labCluster, setupFile } from "../../scripts/lab/cluster/cluster.ts";
import { readFacts, type LabFacts } from "../../scripts/lab/facts.ts";
import { OutsideDatabase } from "../../scripts/lab/rds/outside.ts";
import { labPlace } from "../../scripts/lab/place.ts";
import { labSettings, labTarget } from "../../scripts/target/target.ts";
import { booted, cli, eventually, inGuest } from "./cli.ts";
import { expectCutOff, expectRefusedCall } from "./cut-off.ts";
import { hasty, TestMiner } from "./miner.ts";
import { cluster, type Cluster } from "./node.ts";

const state = inject("labState");
const lab = labPlace(state);
const target = labTarget(lab);
const miner = new TestMiner(lab);

/** A node that somebody runs by hand: seeds that Eclair made, coins in bitcoind's wallet, the database's owner as user. */
const byHand = (setup: ClusterSetup, login: { username: string; password: string }) => `
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

const start = `setsid setpriv --reuid=eclair --regid=eclair --clear-groups \
  /opt/eclair/bin/eclair-run -Declair.datadir=/run/eclair > /run/node/eclair.log 2>&1 < /dev/null & echo $! > /run/node/pid`;
const stop = "kill $(cat /run/node/pid); while [ -d /proc/$(cat /run/node/pid) ]; do sleep 0.2; done";
const bitcoinCli = "bitcoin-cli -regtest -rpcuser=t -rpcpassword=t -rpcwallet=old";

describe.each(inject("images"))(
  "a database that the $eclair Eclair made by itself",
  { timeout: 400_000 },
  ({ eclair, id: imageId }) => {
    const name = `adopt-${eclair}`;
    const real = eclair === "real";
    let setup: ClusterSetup;
    let secrets: SecretsManagerClient;
    let old: string;
    let peer: Cluster;
    let peerId: string;
    let nodeId: string;
    let seeds: { nodeSeed: string; channelSeed: string };

    /** A role of the node's own, of the name that the runtime role will have; the owner has made it. */
    async function ownLogin(owner: string, facts: LabFacts): Promise<{ username: string; password: string }> {
      await new OutsideDatabase(lab, facts, name).sql(
        `set role "${owner}"; create role eclair login password 'old'; grant create on database eclair to eclair; grant create on schema public to eclair`,
      );
      return { username: "eclair", password: "old" };
    }

    const adopt = (...flags: string[]) =>
      cli(["adopt", "--state", state, "--image", imageId, "--config", setupFile(lab, name), ...flags]);
    const api = (call: string, form = "") =>
      eclairApi(lab, old, call, form).catch(async (error: unknown) => {
        // What it said last tells more than that it does not answer.
        const { stdout } = await inGuest(state, old, "tail -n 15 /run/node/eclair.log | cut -c 1-300");
        throw new Error(`${String(error)}\n${stdout}`, { cause: error });
      });
    const shell = async (script: string) => {
      const result = await inGuest(state, old, script);
      expect(result.exitCode, result.all).toBe(0);
      return result.stdout.trim();
    };

    beforeAll(async () => {
      const facts = readFacts(lab);
      if (facts === undefined) throw new Error("the lab is not up");
      secrets = new SecretsManagerClient(labSettings(facts));
      setup = await labCluster(facts, target, name);
      mkdirSync(dirname(setupFile(lab, name)), { recursive: true });
      writeFileSync(setupFile(lab, name), stringify(setup));
      const { Instances } = await target.ec2.send(
        new RunInstancesCommand({
          ImageId: imageId,
          MinCount: 1,
          MaxCount: 1,
          InstanceType: "t3.medium",
          SubnetId: target.instance.subnetId,
        }),
      );
      old = Instances?.[0]?.InstanceId ?? "";
      await booted(state, old);
      const owner = referenceOf(setup.database.ownerSecret).id;
      const { SecretString = "" } = await secrets.send(new GetSecretValueCommand({ SecretId: owner }));
      const login = JSON.parse(SecretString) as { username: string; password: string };
      await shell(byHand(setup, real ? login : await ownLogin(login.username, facts)));
      await shell(start);
      const info = await eventually("the old node's API", () =>
        api("getinfo").then(
          (found) => found as { nodeId: string },
          () => undefined,
        ),
      );
      nodeId = info.nodeId;
      writeFileSync(setupFile(lab, name), stringify({ ...setup, nodeId }));
      const hex = async (file: string) => await shell(`od -An -tx1 -v /run/eclair/${file} | tr -d ' \\n'`);
      seeds = { nodeSeed: await hex("node_seed.dat"), channelSeed: await hex("channel_seed.dat") };
      if (!real) return;
      peer = await cluster(state, "adopt-peer", imageId);
      peerId = await peer.launch(imageId, hasty);
      await peer.active(peerId);
    });
    afterAll(async () => {
      await target.ec2.send(new TerminateInstancesCommand({ InstanceIds: [old, ...(real ? [peerId] : [])] }));
    });

    async function connect(call: typeof api): Promise<void> {
      const address = (await peer.status(peerId))?.address ?? "";
      await call("connect", `uri=${peer.configuration.nodeId}@${address}:9735`);
    }

    const channelIs = async (call: typeof api, wanted: string) =>
      await miner.until(`the channel to be ${wanted}`, async () => {
        const channels = (await call("channels")) as { channelId: string; state: string }[];
        return channels.find((channel) => channel.state === wanted);
      });

    test.runIf(real)("it has coins in bitcoind's wallet and an open channel", async () => {
      await miner.fund(await shell(`${bitcoinCli} getnewaddress`));
      await eventually("the coins", async () =>
        Number(await shell(`${bitcoinCli} getbalance`)) > 0 ? true : undefined,
      );
      await connect(api);
      await api(
        "open",
        `nodeId=${peer.configuration.nodeId}&fundingSatoshis=1000000&fundingFeeBudgetSatoshis=20000`,
      );
      expect((await channelIs(api, "NORMAL")).channelId).toMatch(/^[0-9a-f]{64}$/);
    });

    test("is refused while its node runs", async () => {
      const content = {
        ...seeds,
        mnemonic: generateMnemonic(wordlist, 256),
        birthday: Math.floor(Date.now() / 1000),
      };
      await secrets.send(
        new CreateSecretCommand({ Name: `${name}/seeds`, SecretString: JSON.stringify(content) }),
      );
      const run = await adopt("--wallet-kept", "--json");
      expect(JSON.parse(run.stdout), run.all).toMatchObject({ code: "database.in-use" });
      expect(run.stdout).toMatch(/the lease is held for \d+ s more; a session of /);
      await shell(stop);
    });

    test("`init` refuses it: it is used already", async () => {
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
      expect(JSON.parse(run.stdout), run.all).toMatchObject({ code: "database.used" });
    });

    test.runIf(real)("is refused with another channel seed", async () => {
      const good = await secrets.send(new GetSecretValueCommand({ SecretId: `${name}/seeds` }));
      const bad = {
        ...(JSON.parse(good.SecretString ?? "") as object),
        channelSeed: randomBytes(32).toString("hex"),
      };
      const put = (text = "") =>
        secrets.send(new PutSecretValueCommand({ SecretId: `${name}/seeds`, SecretString: text }));
      await put(JSON.stringify(bad));
      const run = await adopt("--wallet-kept", "--json");
      expect(JSON.parse(run.stdout), run.all).toMatchObject({ code: "adopt.channel-seed" });
      await put(good.SecretString);
    });

    test("goes on only when the old wallet is kept, and tells what there is", async () => {
      const run = await adopt("--json");
      expect(JSON.parse(run.stdout), run.all).toMatchObject({ code: "adopt.wallet" });
      expect(run.stdout).toMatch(
        real ? /1 DATA_NORMAL; .*: 1000000 sat/ : /channels that are not closed: none/,
      );
    });

    test.runIf(!real)("ends the same when it is cut off and run again", async () => {
      const run = () => adopt("--wallet-kept", "--json");
      await expectRefusedCall(lab, name, run, "TransactWriteItems", "record.denied");
      await expectCutOff(lab, name, run, [700, 1000, 1300]);
    });

    test("is taken over, and a second time nothing changes", async () => {
      const run = await adopt("--wallet-kept");
      expect(run.exitCode, run.all).toBe(0);
      for (const made of real ? ["role eclair", "fence", "binding", "owner of", "record"] : [])
        expect(run.stdout).toMatch(new RegExp(`^made +${made}`, "m"));
      expect(run.stdout).toContain(nodeId);
      const again = await adopt();
      expect(again.stdout, again.all).toMatch(/^changed +nothing/m);
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

    test("is the same node, with nothing lost", async () => {
      const nodes = await cluster(state, name, imageId);
      expect(nodes.configuration.nodeId).toBe(nodeId);
      const id = await nodes.launch(imageId, hasty);
      const status = await nodes.active(id);
      expect(status.state?.eclair.info?.nodeId).toBe(nodeId);
      if (real) await moveCoins(nodes, id);
      await nodes.terminate(id);
    });

    /** As docs/identity.md says: the old wallet's coins to the new keys, then the channel closed, to the satoshi. */
    async function moveCoins(nodes: Cluster, id: string): Promise<void> {
      const call: typeof api = (method, form) => nodes.api(id, method, form);
      const confirmed = async () => ((await call("onchainbalance")) as { confirmed: number }).confirmed;
      expect(await confirmed()).toBe(0);
      const sats = async (text: string) => Math.round(Number(await shell(text)) * 100_000_000);
      const had = await sats(`${bitcoinCli} getbalance`);
      const address = (await call("getnewaddress")) as string;
      const moved = JSON.parse(await shell(`${bitcoinCli} sendall '["${address}"]'`)) as { txid: string };
      const arrived = await miner.until("the coins to arrive", async () => {
        const now = await confirmed();
        return now === 0 ? undefined : now;
      });
      expect(arrived).toBe(had - (await miner.feeOf(moved.txid)));

      await connect(call);
      const { channelId } = await channelIs(call, "NORMAL");
      await call("close", `channelId=${channelId}`);
      const all = await miner.until("the channel's coins to come home", async () => {
        const now = await confirmed();
        return now === arrived ? undefined : now;
      });
      const transactions = (await call("onchaintransactions", "count=10&skip=0")) as { txid: string }[];
      const closing = transactions.find(({ txid }) => txid !== moved.txid)?.txid ?? "";
      expect(all).toBe(arrived + 1_000_000 - (await miner.feeOf(closing)));
      expect(await sats(`${bitcoinCli} getbalance`)).toBe(0);
    }
  },
);
