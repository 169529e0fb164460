import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { Failure, messageOf } from "../core/failure.ts";
import { labNode } from "../lab/cluster/cluster.ts";
import { eclairApi } from "../lab/cluster/eclair-api.ts";
import { lightningPort } from "../lab/cluster/load-balancer.ts";
import { OutsideMiner } from "../lab/miner/outside.ts";
import { readConfiguration } from "../nodes/configuration.ts";
import { launch } from "../nodes/launch.ts";
import { nodeStatuses } from "../nodes/status.ts";
import { balancerAddress, settle, type Stage } from "./stage.ts";

const cluster = "drill-peer";
const patienceMilliseconds = 300_000;
const pollMilliseconds = 500;
/** Eclair looks at blocks only when they come more than two seconds apart (`ZmqWatcher`). */
const mineEveryMilliseconds = 8_000;
const channelSatoshis = 10_000_000;

const Channel = z.object({ nodeId: z.string(), channelId: z.string(), state: z.string() });
export type Channel = z.infer<typeof Channel>;
const Balance = z.object({ confirmed: z.number() });

/**
 * Another Lightning node with a channel to the one that is drilled, which it reaches by the load balancer. Real Eclairs
 * alone have channels.
 */
export class Peer {
  readonly instanceId: string;
  private readonly stage: Stage;
  private readonly miner: OutsideMiner;

  constructor(stage: Stage, instanceId: string) {
    this.stage = stage;
    this.instanceId = instanceId;
    this.miner = new OutsideMiner(stage.lab);
  }

  async api(call: string, form = ""): Promise<unknown> {
    return await eclairApi(this.stage.lab, this.instanceId, call, form);
  }

  /** Its channels with our node that are not closed. */
  async channels(): Promise<Channel[]> {
    const { nodeId } = this.stage.configuration;
    return z.array(Channel).parse(await this.api("channels", `nodeId=${nodeId}`));
  }

  async mine(blocks: number): Promise<void> {
    await this.miner.mine(blocks);
  }

  /** Where it finds our node: behind the load balancer. */
  async uri(): Promise<string> {
    const host = await balancerAddress(this.stage);
    return `${this.stage.configuration.nodeId}@${host}:${lightningPort}`;
  }

  /** Opens a channel; it is of use after some blocks. */
  async open(satoshis: number): Promise<void> {
    const { nodeId } = this.stage.configuration;
    const said = await this.api(
      "open",
      `nodeId=${nodeId}&fundingSatoshis=${satoshis}&fundingFeeBudgetSatoshis=20000`,
    );
    if (!/created channel/.test(String(said))) throw new Error(`no channel was opened: ${String(said)}`);
  }

  /** Mines now and then until something is so. */
  async until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
    const end = performance.now() + patienceMilliseconds;
    let next = 0;
    for (;;) {
      const found = await probe();
      if (found !== undefined) return found;
      if (performance.now() > end)
        throw new Failure({
          code: "drill.peer",
          doing: "giving the drilled node a peer",
          cause: `waited in vain for ${what}`,
          remedy: `look at \`eclair-ami logs ${this.instanceId}\``,
        });
      if (performance.now() > next) {
        await this.miner.mine(6);
        next = performance.now() + mineEveryMilliseconds;
      }
      await sleep(pollMilliseconds);
    }
  }

  /** Coins, a connection, and a channel that is of use. */
  async prepare(): Promise<void> {
    await this.api("connect", `uri=${await this.uri()}`);
    if ((await this.channels()).length === 0) {
      await this.fund();
      await this.open(channelSatoshis);
    }
    await this.until("an open channel", async () =>
      (await this.channels()).find(({ state }) => state === "NORMAL"),
    );
  }

  private async fund(): Promise<void> {
    const confirmed = async () => Balance.parse(await this.api("onchainbalance")).confirmed;
    if ((await confirmed()) > 10 * channelSatoshis) return;
    await this.miner.fund(z.string().parse(await this.api("getnewaddress")));
    await this.until("coins", async () => ((await confirmed()) > 10 * channelSatoshis ? true : undefined));
  }
}

/** The peer of a stage: found, of whatever image it is, or launched from the stage's. */
export async function peerOf(stage: Stage): Promise<Peer> {
  await settle(stage);
  const peer = new Peer(stage, await instanceOf(stage));
  await peer.prepare();
  return peer;
}

async function instanceOf(stage: Stage): Promise<string> {
  const { lab, facts, target, imageId } = stage;
  const active = async () =>
    (await nodeStatuses(target, { cluster })).find(({ state }) => state?.active === true);
  const there = await active();
  if (there !== undefined) return there.instanceId;
  const { file } = await labNode(lab, facts, target, { name: cluster, imageId });
  const { text } = readConfiguration(file);
  const hasty = { eclair: { settings: { "channel.max-block-processing-delay": "0 seconds" } } };
  writeFileSync(file, stringify({ ...(parse(text) as object), ...hasty }));
  await launch(target, { imageId, configurationFile: file, template: cluster, name: cluster });
  const end = performance.now() + patienceMilliseconds;
  for (;;) {
    const found = await active();
    if (found !== undefined) return found.instanceId;
    if (performance.now() > end) throw new Error(`${cluster} did not become active`);
    await sleep(pollMilliseconds);
  }
}

/** Why a channel is not as it should be; Eclair's states of a channel that closes are not among those that come back. */
export async function channelTrouble(peer: Peer, before: readonly Channel[]): Promise<string | undefined> {
  try {
    const now = await peer.channels();
    const lost = before.filter(({ channelId }) => !now.some((one) => one.channelId === channelId));
    const closing = now.filter(({ state }) => /CLOS|SHUTDOWN|NEGOTIATING|ERR_|FUTURE/.test(state));
    if (lost.length > 0) return `the peer has lost ${lost.map(({ channelId }) => channelId).join(", ")}`;
    if (closing.length > 0)
      return closing.map(({ channelId, state }) => `channel ${channelId} is ${state}`).join("; ");
    return undefined;
  } catch (error) {
    return `the peer can't be asked: ${messageOf(error)}`;
  }
}
