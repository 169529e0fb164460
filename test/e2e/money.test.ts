import { DeleteVolumeCommand, DescribeVolumesCommand } from "@aws-sdk/client-ec2";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { clusterTag } from "../../bootstrap/aws/tags.ts";
import { hasty, TestMiner } from "./miner.ts";
import { cluster, type Cluster } from "./node.ts";

const state = inject("labState");
const real = inject("images").find(({ eclair }) => eclair === "real");

type Balance = { confirmed: number; unconfirmed: number };
type Channel = {
  channelId: string;
  state: string;
  data: { commitments: { active: { localCommit: { spec: { toLocal: number } } }[] } };
};

/** Coins, channels and payments of the real Eclair outlive every instance, disk and bitcoind. */
describe.skipIf(real === undefined)("coins and channels", { timeout: 600_000 }, () => {
  const imageId = real?.id ?? "";
  let one: Cluster;
  let two: Cluster;
  let first: string;
  let second: string;
  let miner: TestMiner;

  const balance = async () => (await one.api(first, "onchainbalance")) as Balance;
  const channels = async () => (await one.api(first, "channels")) as Channel[];
  const own = async () => (await channels())[0]?.data.commitments.active[0]?.localCommit.spec.toLocal ?? 0;

  const channelIs = (wanted: string) =>
    miner.until(`the channel to be ${wanted}`, async () =>
      (await channels()).find((channel) => channel.state === wanted),
    );

  async function pay(millisatoshi: number, description: string): Promise<string> {
    const form = `description=${description}&amountMsat=${millisatoshi}`;
    const { serialized, paymentHash } = (await two.api(second, "createinvoice", form)) as {
      serialized: string;
      paymentHash: string;
    };
    await one.api(first, "payinvoice", `invoice=${serialized}&blocking=true`);
    const received = (await two.api(second, "getreceivedinfo", `paymentHash=${paymentHash}`)) as {
      status: { type: string };
    };
    expect(received.status.type).toBe("received");
    return paymentHash;
  }

  /** Every instance goes, and every disk; nothing but secrets, database and record is left. */
  async function loseEverything(): Promise<void> {
    await Promise.all([one.terminate(first), two.terminate(second)]);
    await Promise.all([one.gone(first), two.gone(second)]);
    for (const { name, target } of [one, two]) {
      const filter = { Name: `tag:${clusterTag}`, Values: [name] };
      const { Volumes = [] } = await target.ec2.send(new DescribeVolumesCommand({ Filters: [filter] }));
      expect(Volumes.length).toBe(1);
      for (const { VolumeId } of Volumes) await target.ec2.send(new DeleteVolumeCommand({ VolumeId }));
    }
    await bringUp();
  }

  async function bringUp(): Promise<void> {
    [first, second] = await Promise.all([one.launch(imageId, hasty), two.launch(imageId, hasty)]);
    await Promise.all([one.active(first), two.active(second)]);
    await one.api(first, "connect", `uri=${two.configuration.nodeId}@${await addressOf(two, second)}:9735`);
  }

  const addressOf = async (nodes: Cluster, id: string) => (await nodes.status(id))?.address ?? "";

  beforeAll(async () => {
    one = await cluster(state, "money-one", imageId);
    two = await cluster(state, "money-two", imageId);
    miner = new TestMiner(one.lab);
    await bringUp();
  });

  test("are made: funded on-chain, a channel, a payment", async () => {
    const address = (await one.api(first, "getnewaddress")) as string;
    await miner.fund(address);
    await miner.until("the coins to be there", async () =>
      (await balance()).confirmed > 0 ? true : undefined,
    );
    const open = await one.api(
      first,
      "open",
      `nodeId=${two.configuration.nodeId}&fundingSatoshis=1000000&fundingFeeBudgetSatoshis=20000`,
    );
    expect(String(open)).toMatch(/created channel/);
    await channelIs("NORMAL");
    await pay(123_000_000, "first");
  });

  test("are there after everything else was lost, and work", async () => {
    const [coins, sats] = [await balance(), await own()];
    await loseEverything();
    await channelIs("NORMAL");
    expect(await balance()).toEqual(coins);
    expect(await own()).toBe(sats);
    const { sent } = (await one.api(first, "audit")) as { sent: unknown[] };
    expect(sent).toHaveLength(1);
    await pay(77_000_000, "second");
    expect(await own()).toBe(sats - 77_000_000);
  });

  test("come home when the channel is closed, and can be spent after all was lost again", async () => {
    const before = (await balance()).confirmed;
    const [channel] = await channels();
    const mine = Math.floor((await own()) / 1000);
    await one.api(first, "close", `channelId=${channel?.channelId}`);
    const after = await miner.until("the channel's coins to come home", async () => {
      const { confirmed } = await balance();
      return confirmed > before ? confirmed : undefined;
    });
    // The closing transaction's fee is the opener's.
    expect(after - before).toBeGreaterThan(mine - 20_000);
    expect(after - before).toBeLessThanOrEqual(mine);

    await loseEverything();
    expect(await balance()).toMatchObject({ confirmed: after });
    const away = (await two.api(second, "getnewaddress")) as string;
    await one.api(first, "sendonchain", `address=${away}&amountSatoshis=500000&confirmationTarget=1`);
    await miner.until("the coins to arrive", async () =>
      (await miner.received(away)) === 500_000 ? true : undefined,
    );
    await Promise.all([one.terminate(first), two.terminate(second)]);
  });
});
