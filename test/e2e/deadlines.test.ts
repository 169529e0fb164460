import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { Budget, ChannelBudget } from "../../bootstrap/contract/budget/budget.ts";
import { cli, eventually } from "./cli.ts";
import { TestMiner } from "./miner.ts";
import { cluster, type Cluster } from "./node.ts";

const state = inject("labState");
const real = inject("images").find(({ eclair }) => eclair === "real");

/** Eclair processes new blocks after two seconds without another block (`ZmqWatcher`), here without a further delay. */
const processingMilliseconds = 5_000;
const mostBlocksAtOnce = 50;
const fulfillSafety = 24;

type Channel = { channelId: string; nodeId: string; state: string };
type PrintedBudget = Budget & { knownHeight: number };

/** What the real Eclair does at the heights that the budget predicts. A peer that is frozen holds its HTLCs. */
describe.skipIf(real === undefined)("the deadlines of the real Eclair", { timeout: 900_000 }, () => {
  const imageId = real?.id ?? "";
  let payer: Cluster;
  let node: Cluster;
  let payee: Cluster;
  let payerId: string;
  let id: string;
  let payeeId: string;
  let miner: TestMiner;

  const channels = async () => (await node.api(id, "channels")) as Channel[];
  const channelWith = async (peer: Cluster) =>
    (await channels()).find(
      ({ nodeId, state: now }) => nodeId === peer.configuration.nodeId && now !== "CLOSING",
    );
  const stateOf = async (channelId: string) =>
    (await channels()).find((channel) => channel.channelId === channelId)?.state;
  const height = async () => Number(await miner.rpc("getblockcount"));

  /** Makes a peer silent. Its supervisor kills the frozen Eclair after some seconds, and cannot start another one. */
  const hold = (nodes: Cluster, instanceId: string) =>
    nodes.inGuest(instanceId, "systemctl mask --runtime eclair@a eclair@b; pkill -STOP -u eclair java");
  const release = async (nodes: Cluster, instanceId: string) => {
    await nodes.inGuest(
      instanceId,
      "systemctl unmask --runtime eclair@a eclair@b; pkill -KILL -u eclair java || true",
    );
    await eventually("the Eclair of the peer", () => nodes.api(instanceId, "getinfo").catch(() => undefined));
  };

  const connect = async (from: Cluster, fromId: string, to: Cluster, toId: string) => {
    const address = (await to.status(toId))?.privateIp ?? "";
    await from.api(fromId, "connect", `uri=${to.configuration.nodeId}@${address}:9735`);
  };

  /** Eclair itself connects again after a random delay. */
  const releasePayee = async () => {
    await release(payee, payeeId);
    await connect(node, id, payee, payeeId);
  };

  const openChannel = async (from: Cluster, fromId: string, to: Cluster) => {
    const form = `nodeId=${to.configuration.nodeId}&fundingSatoshis=1000000&announceChannel=false&fundingFeeBudgetSatoshis=20000`;
    expect(String(await from.api(fromId, "open", form))).toMatch(/^created channel/);
  };

  /** An invoice of the payee, with a hint of its channel with the node. */
  const invoice = async (amountMsat: number): Promise<string> => {
    const [channel] = ((await payee.api(payeeId, "channels")) as Channel[]).filter(
      ({ state: now }) => now === "NORMAL",
    );
    const form = `description=x&amountMsat=${amountMsat}&privateChannelIds=${channel?.channelId}`;
    return ((await payee.api(payeeId, "createinvoice", form)) as { serialized: string }).serialized;
  };

  const budget = async (): Promise<PrintedBudget> => {
    const { stdout, all } = await cli(["budget", "--state", state, "--cluster", node.name, "--json"]);
    expect(stdout, all).not.toBe("");
    return JSON.parse(stdout) as PrintedBudget;
  };
  /** The budget of a channel, once it satisfies a condition. A block makes the node compute it. */
  const budgetOf = async (channelId: string, isExpected: (channel: ChannelBudget) => boolean) => {
    await miner.mine(1);
    return await eventually(`the budget of the channel ${channelId}`, async () =>
      (await budget()).listed.find((channel) => channel.channelId === channelId && isExpected(channel)),
    );
  };
  const heightOf = ({ deadlines }: ChannelBudget, event: string) =>
    deadlines.find((deadline) => deadline.event === event)?.height ?? NaN;
  const eventsOf = ({ deadlines }: ChannelBudget) => deadlines.map(({ event }) => event);

  /** Mines up to a height, with pauses in which Eclair processes the blocks. */
  const mineTo = async (target: number) => {
    for (let now = await height(); now < target; now = await height()) {
      await miner.mine(Math.min(mostBlocksAtOnce, target - now));
      await sleep(processingMilliseconds);
    }
  };

  /** The height at which Eclair began to close a channel. */
  const closedAt = async (channelId: string) =>
    Number(
      await node.sql(`select json -> 'waitingSince' from local.channels where channel_id = '${channelId}'`),
    );

  /**
   * The channel stays open at the block before the predicted height, and Eclair closes it at this height. The lab mines a block
   * every half minute, which can come at the same time as a block of this test.
   */
  const expectCloseAt = async (channelId: string, predicted: number) => {
    await mineTo(predicted - 1);
    await sleep(processingMilliseconds);
    const before = await stateOf(channelId);
    if ((await height()) < predicted) expect(before).toMatch(/^(NORMAL|OFFLINE)$/);
    await mineTo(predicted);
    await eventually("the channel to be closed", async () =>
      (await stateOf(channelId)) === "CLOSING" ? true : undefined,
    );
    expect([predicted, predicted + 1]).toContain(await closedAt(channelId));
  };

  beforeAll(async () => {
    payer = await cluster(state, "deadlines-payer", imageId);
    node = await cluster(state, "deadlines", imageId);
    payee = await cluster(state, "deadlines-payee", imageId);
    miner = new TestMiner(node.lab);
    const splicing = ({ configuration }: Cluster) => ({
      eclair: {
        settings: {
          "channel.max-block-processing-delay": "0 seconds",
          "override-init-features": [
            { nodeid: configuration.nodeId, features: { splice_prototype: "optional" } },
          ],
        },
      },
    });
    [payerId, id, payeeId] = await Promise.all([
      payer.launch(imageId, splicing(node)),
      node.launch(imageId, splicing(payee)),
      payee.launch(imageId, splicing(node)),
    ]);
    await Promise.all([
      payer.waitUntilActive(payerId),
      node.waitUntilActive(id),
      payee.waitUntilActive(payeeId),
    ]);
    await connect(payer, payerId, node, id);
    await connect(node, id, payee, payeeId);
    await miner.fund((await payer.api(payerId, "getnewaddress")) as string, 2);
    await miner.fund((await node.api(id, "getnewaddress")) as string, 6);
    await miner.mineUntil("the coins to be confirmed", async () => {
      const balances = [await payer.api(payerId, "onchainbalance"), await node.api(id, "onchainbalance")];
      return (balances as { confirmed: number }[]).every(({ confirmed }) => confirmed > 0) ? true : undefined;
    });
    await openChannel(payer, payerId, node);
    await openChannel(node, id, payee);
    await miner.mineUntil("the channels", async () =>
      (await channels()).filter((channel) => channel.state === "NORMAL").length === 2 ? true : undefined,
    );
  });
  afterAll(async () => {
    await Promise.all([payer.terminate(payerId), node.terminate(id), payee.terminate(payeeId)]);
  });

  test("no HTLC: no channel has a deadline", async () => {
    const found = await eventually("a budget", async () => {
      const current = await budget();
      return current.height === current.knownHeight ? current : undefined;
    });
    expect(found).toMatchObject({ channels: 0, htlcs: 0, unreadable: 0, listed: [] });
  });

  test("a relayed HTLC: Eclair closes the outgoing channel, and the payer the incoming one", async () => {
    await payer.api(payerId, "payinvoice", `invoice=${await invoice(5_000_000)}&blocking=true`);
    const text = await invoice(7_000_000);
    await hold(payee, payeeId);
    await payer.api(payerId, "payinvoice", `invoice=${text}`);
    const outgoing = await budgetOf((await channelWith(payee))?.channelId ?? "", ({ htlcs }) => htlcs === 1);
    const incoming = await budgetOf((await channelWith(payer))?.channelId ?? "", ({ htlcs }) => htlcs === 1);
    expect(eventsOf(outgoing)).toEqual(["payee-closes", "eclair-closes"]);
    expect(eventsOf(incoming)).toEqual(["peer-closes"]);
    expect((await budget()).next).toMatchObject({
      ...{ event: "eclair-closes", channelId: outgoing.channelId },
      height: heightOf(outgoing, "eclair-closes"),
    });
  });

  test("an incoming HTLC whose preimage Eclair knows: Eclair closes before it expires, and not earlier", async () => {
    const { channelId } = (await channelWith(payer)) ?? { channelId: "" };
    await hold(payer, payerId);
    await releasePayee();
    const predicted = await budgetOf(channelId, (channel) => eventsOf(channel).includes("eclair-closes"));
    const closesAt = heightOf(predicted, "eclair-closes");
    expect(heightOf(predicted, "peer-takes")).toBe(closesAt + fulfillSafety);
    await expectCloseAt(channelId, closesAt);
    // Our commitment is published, and the HTLC is claimed with the next blocks.
    const closing = await budgetOf(channelId, ({ state: now }) => now === "CLOSING");
    expect(eventsOf(closing)).toEqual(["htlc-expires"]);
    await release(payer, payerId);
    await miner.mineUntil("the HTLC to be claimed", async () =>
      (await budget()).listed.some((channel) => channel.channelId === channelId) ? undefined : true,
    );
  });

  test("several commitments of a splice: an HTLC counts once, and Eclair closes at its expiry", async () => {
    const { channelId } = (await channelWith(payee)) ?? { channelId: "" };
    expect(await node.api(id, "splicein", `channelId=${channelId}&amountIn=100000`)).toHaveProperty(
      "fundingTxId",
    );
    const commitments = () =>
      node.sql(
        `select jsonb_array_length(json #> '{commitments,active}') from local.channels where channel_id = '${channelId}'`,
      );
    await eventually("two commitments", async () => ((await commitments()) === "2" ? true : undefined));
    const text = await invoice(9_000_000);
    await hold(payee, payeeId);
    await node.api(id, "payinvoice", `invoice=${text}`);
    const predicted = await budgetOf(channelId, ({ htlcs }) => htlcs > 0);
    expect(predicted).toMatchObject({ htlcs: 1, htlcMsat: 9_000_000 });
    expect(await commitments()).toBe("2");
    await expectCloseAt(channelId, heightOf(predicted, "eclair-closes"));
    // The published commitment does not contain the HTLC, which the peer never signed.
    await miner.mine(1);
    const mined = await height();
    await eventually("the budget without the channel", async () => {
      const current = await budget();
      return current.height >= mined && current.listed.every((channel) => channel.channelId !== channelId)
        ? true
        : undefined;
    });
    await releasePayee();
  });

  test("Eclair is down across a deadline: the budget is computed meanwhile, and Eclair closes after its start", async () => {
    await openChannel(node, id, payee);
    const channel = await miner.mineUntil("the channel", async () => {
      const found = await channelWith(payee);
      return found?.state === "NORMAL" ? found : undefined;
    });
    const text = await invoice(11_000_000);
    await hold(payee, payeeId);
    await node.api(id, "payinvoice", `invoice=${text}`);
    const closesAt = heightOf(await budgetOf(channel.channelId, ({ htlcs }) => htlcs === 1), "eclair-closes");
    await node.inGuest(id, "systemctl mask --runtime eclair@a eclair@b; pkill -KILL -u eclair java");
    await mineTo(closesAt + 2);
    const late = await eventually("a budget of a node without an active instance", async () => {
      const found = await budget();
      return found.height >= closesAt + 2 ? found : undefined;
    });
    expect(late.overdue).toEqual({
      ...{ event: "eclair-closes", height: closesAt, channelId: channel.channelId },
      channels: 1,
    });
    const status = await cli(["status", "--state", state, "--cluster", node.name]);
    expect(status.stdout).toMatch(
      /^budget +overdue: since block \d+, \d blocks \(about \d+ min\) ago, Eclair closes channel/m,
    );
    const resumeMining = await miner.pause();
    try {
      const heightAtStart = await height();
      await node.inGuest(id, "systemctl unmask --runtime eclair@a eclair@b");
      await node.waitUntilActive(id);
      // Another test file may have mined since the start.
      const heightWhenActive = await height();
      await eventually("the channel to be closed", async () =>
        (await stateOf(channel.channelId)) === "CLOSING" ? true : undefined,
      );
      // Eclair does not wait for another block.
      const closed = await closedAt(channel.channelId);
      expect(closed).toBeGreaterThanOrEqual(heightAtStart);
      expect(closed).toBeLessThanOrEqual(heightWhenActive);
    } finally {
      resumeMining();
    }
    await releasePayee();
  });
});
