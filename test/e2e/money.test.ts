import { DeleteVolumeCommand, DescribeVolumesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { CreateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { tags } from "../../bootstrap/contract/tags.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { RemoteBitcoind } from "../../scripts/lab/remote-bitcoind/remote-bitcoind.ts";
import { eventually } from "./cli.ts";
import { withoutBlockDelay, TestMiner } from "./miner.ts";
import { cluster, type Cluster } from "./node.ts";

const state = inject("labState");
/** No other test uses a remote bitcoind with this number. */
const remoteNumber = 21;
const real = inject("images").find(({ eclair }) => eclair === "real");

type Balance = { confirmed: number; unconfirmed: number };
type Channel = {
  channelId: string;
  state: string;
  data: { commitments: { active: { localCommit: { spec: { toLocal: number } } }[] } };
};

/** The coins, channels and payments of the real Eclair survive the loss of all instances, volumes and bitcoinds. */
describe.skipIf(real === undefined)("coins and channels", { timeout: 600_000 }, () => {
  const imageId = real?.id ?? "";
  let payer: Cluster;
  let payee: Cluster;
  let payerId: string;
  let payeeId: string;
  let miner: TestMiner;
  /** The payer's Eclair prefers it to the bitcoind on its instance. */
  let remote: RemoteBitcoind;
  const secret = "money-one/bitcoind";

  const chosenBitcoind = async () =>
    (await payer.status(payerId))?.report?.bitcoinds?.find(({ chosen }) => chosen)?.name;

  const balance = async () => (await payer.api(payerId, "onchainbalance")) as Balance;
  const channels = async () => (await payer.api(payerId, "channels")) as Channel[];
  const localBalance = async () =>
    (await channels())[0]?.data.commitments.active[0]?.localCommit.spec.toLocal ?? 0;

  const waitForChannel = (expectedState: string) =>
    miner.mineUntil(`the channel to be ${expectedState}`, async () =>
      (await channels()).find((channel) => channel.state === expectedState),
    );

  async function pay(millisatoshi: number, description: string): Promise<string> {
    const form = `description=${description}&amountMsat=${millisatoshi}`;
    const { serialized, paymentHash } = (await payee.api(payeeId, "createinvoice", form)) as {
      serialized: string;
      paymentHash: string;
    };
    await payer.api(payerId, "payinvoice", `invoice=${serialized}&blocking=true`);
    const received = (await payee.api(payeeId, "getreceivedinfo", `paymentHash=${paymentHash}`)) as {
      status: { type: string };
    };
    expect(received.status.type).toBe("received");
    return paymentHash;
  }

  /** Replaces all instances and deletes all volumes. Only secrets, databases and records remain. */
  async function replaceInstancesAndVolumes(): Promise<void> {
    await Promise.all([payer.terminate(payerId), payee.terminate(payeeId)]);
    await Promise.all([payer.waitUntilTerminated(payerId), payee.waitUntilTerminated(payeeId)]);
    for (const { name, target } of [payer, payee]) {
      const filter = { Name: `tag:${tags.cluster}`, Values: [name] };
      const { Volumes = [] } = await target
        .client(EC2Client)
        .send(new DescribeVolumesCommand({ Filters: [filter] }));
      expect(Volumes.length).toBe(1);
      for (const { VolumeId } of Volumes)
        await target.client(EC2Client).send(new DeleteVolumeCommand({ VolumeId }));
    }
    await launchNodes();
  }

  async function launchNodes(): Promise<void> {
    const { local } = payer.configuration.bitcoind;
    const remotes = [remote.configuration(secret)];
    [payerId, payeeId] = await Promise.all([
      payer.launch(imageId, { ...withoutBlockDelay, bitcoind: { prefer: "remotes", remotes, local } }),
      payee.launch(imageId, withoutBlockDelay),
    ]);
    await Promise.all([payer.waitUntilActive(payerId), payee.waitUntilActive(payeeId)]);
    await payer.api(
      payerId,
      "connect",
      `uri=${payee.configuration.nodeId}@${await addressOf(payee, payeeId)}:9735`,
    );
  }

  const addressOf = async (nodes: Cluster, id: string) => (await nodes.status(id))?.privateIp ?? "";

  beforeAll(async () => {
    payer = await cluster(state, "money-one", imageId);
    payee = await cluster(state, "money-two", imageId);
    miner = new TestMiner(payer.lab);
    const facts = readFacts(payer.lab);
    if (facts === undefined) throw new Error("the lab does not run");
    remote = new RemoteBitcoind(payer.lab, facts, remoteNumber);
    await remote.start();
    await payer.secrets.send(
      new CreateSecretCommand({ Name: secret, SecretString: JSON.stringify(RemoteBitcoind.secret) }),
    );
    await launchNodes();
  });

  afterAll(async () => await remote.remove());

  test("can be created: an on-chain deposit, a channel and a payment", async () => {
    const address = (await payer.api(payerId, "getnewaddress")) as string;
    await miner.fund(address);
    await miner.mineUntil("the coins to be confirmed", async () =>
      (await balance()).confirmed > 0 ? true : undefined,
    );
    const open = await payer.api(
      payerId,
      "open",
      `nodeId=${payee.configuration.nodeId}&fundingSatoshis=1000000&fundingFeeBudgetSatoshis=20000`,
    );
    expect(String(open)).toMatch(/created channel/);
    await waitForChannel("NORMAL");
    await pay(123_000_000, "first");
  });

  test("exist and work after the loss of all instances and volumes", async () => {
    const [coins, sats] = [await balance(), await localBalance()];
    await replaceInstancesAndVolumes();
    await waitForChannel("NORMAL");
    expect(await balance()).toEqual(coins);
    expect(await localBalance()).toBe(sats);
    const { sent } = (await payer.api(payerId, "audit")) as { sent: unknown[] };
    expect(sent).toHaveLength(1);
    await pay(77_000_000, "second");
    expect(await localBalance()).toBe(sats - 77_000_000);
  });

  test("are the same when another bitcoind takes over half-way", async () => {
    expect(await chosenBitcoind()).toBe(`${remote.address}:18443`);
    const before = [await balance(), await localBalance()];
    await remote.signal("KILL");
    await eventually("the bitcoind on the instance to be chosen", async () =>
      (await chosenBitcoind()) === "local" ? true : undefined,
    );
    expect([await balance(), await localBalance()]).toEqual(before);
    await pay(5_000_000, "third");
  });

  test("are back in the wallet after the channel is closed, and can be spent after another loss", async () => {
    const before = (await balance()).confirmed;
    const [channel] = await channels();
    const localSatoshis = Math.floor((await localBalance()) / 1000);
    await payer.api(payerId, "close", `channelId=${channel?.channelId}`);
    const after = await miner.mineUntil("the coins of the closed channel to be confirmed", async () => {
      const { confirmed } = await balance();
      return confirmed > before ? confirmed : undefined;
    });
    // The opener of the channel pays the fee of the closing transaction.
    expect(after - before).toBeGreaterThan(localSatoshis - 20_000);
    expect(after - before).toBeLessThanOrEqual(localSatoshis);

    await replaceInstancesAndVolumes();
    expect(await balance()).toMatchObject({ confirmed: after });
    const address = (await payee.api(payeeId, "getnewaddress")) as string;
    await payer.api(payerId, "sendonchain", `address=${address}&amountSatoshis=500000&confirmationTarget=1`);
    await miner.mineUntil("the payee to receive the coins", async () =>
      (await miner.received(address)) === 500_000 ? true : undefined,
    );
    await Promise.all([payer.terminate(payerId), payee.terminate(payeeId)]);
  });
});
