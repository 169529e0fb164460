import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ports } from "../../../bootstrap/contract/ports.ts";
import { EclairAmiError, messageOf } from "../../../bootstrap/contract/errors.ts";
import { eclairApi } from "../../lab/guest/eclair-api.ts";
import { MinerClient } from "../../lab/miner/miner-client.ts";
import { zoneAddresses, type DrillEnvironment } from "../environment.ts";

const conditionTimeoutMilliseconds = 300_000;
const pollMilliseconds = 500;
/** Eclair checks its channels at blocks that are at least two seconds apart (`ZmqWatcher`). */
const miningIntervalMilliseconds = 8_000;
const channelSatoshis = 10_000_000;
const minimumSatoshis = 10 * channelSatoshis;

const Channel = z.object({ nodeId: z.string(), channelId: z.string(), state: z.string() });
export type Channel = z.infer<typeof Channel>;
const Balance = z.object({ confirmed: z.number() });

/** Another Lightning node with a channel to the drilled node, which it reaches through the load balancer. */
export class Peer {
  readonly instanceId: string;
  private readonly environment: DrillEnvironment;
  private readonly miner: MinerClient;

  constructor(environment: DrillEnvironment, instanceId: string) {
    this.environment = environment;
    this.instanceId = instanceId;
    this.miner = new MinerClient(environment.lab);
  }

  /** Calls the API of the peer's Eclair. */
  async call(method: string, form = ""): Promise<unknown> {
    return await eclairApi(this.environment.lab, this.instanceId, method, form);
  }

  /** The channels to the drilled node that are not closed. */
  async channels(): Promise<Channel[]> {
    const { nodeId } = this.environment.configuration;
    return z.array(Channel).parse(await this.call("channels", `nodeId=${nodeId}`));
  }

  async nodeId(): Promise<string> {
    return z.object({ nodeId: z.string() }).parse(await this.call("getinfo")).nodeId;
  }

  /** The URI of the drilled node behind the load balancer. */
  async readNodeUri(): Promise<string> {
    const [host = ""] = (await zoneAddresses(this.environment)).values();
    return `${this.environment.configuration.nodeId}@${host}:${ports.lightning}`;
  }

  /** Opens a channel to the drilled node. The channel becomes usable after some blocks. */
  async openChannel(satoshis: number): Promise<void> {
    const { nodeId } = this.environment.configuration;
    const answer = await this.call(
      "open",
      `nodeId=${nodeId}&fundingSatoshis=${satoshis}&fundingFeeBudgetSatoshis=20000`,
    );
    if (!/created channel/.test(String(answer)))
      throw new Error(`the peer could not open a channel: ${String(answer)}`);
  }

  /** Mines blocks until a probe returns a value. */
  async mineUntil<T>(condition: string, probe: () => Promise<T | undefined>): Promise<T> {
    const end = performance.now() + conditionTimeoutMilliseconds;
    let nextBlocksAt = 0;
    for (;;) {
      const value = await probe();
      if (value !== undefined) return value;
      if (performance.now() > end)
        throw new EclairAmiError({
          code: "drill.peer-not-ready",
          operation: `waiting for ${condition}`,
          message: `${this.instanceId} did not report this within ${conditionTimeoutMilliseconds / 1000} s`,
          remedy: `read \`eclair-ami logs ${this.instanceId}\``,
        });
      if (performance.now() > nextBlocksAt) {
        await this.miner.mine(6);
        nextBlocksAt = performance.now() + miningIntervalMilliseconds;
      }
      await sleep(pollMilliseconds);
    }
  }

  /** Connects the peer to the drilled node, and ensures that the peer has coins and a usable channel. */
  async prepare(): Promise<void> {
    await this.call("connect", `uri=${await this.readNodeUri()}`);
    if ((await this.channels()).length === 0) {
      await this.ensureFunds();
      await this.openChannel(channelSatoshis);
    }
    await this.mineUntil("an open channel", async () =>
      (await this.channels()).find(({ state }) => state === "NORMAL"),
    );
  }

  private async ensureFunds(): Promise<void> {
    const hasFunds = async () => Balance.parse(await this.call("onchainbalance")).confirmed > minimumSatoshis;
    if (await hasFunds()) return;
    await this.miner.fund(z.string().parse(await this.call("getnewaddress")));
    await this.mineUntil("on-chain funds", async () => ((await hasFunds()) ? true : undefined));
  }
}

/** @returns why the channels of a peer are not as before, or undefined */
export async function channelProblem(peer: Peer, before: readonly Channel[]): Promise<string | undefined> {
  try {
    const channels = await peer.channels();
    const channelsBefore = before.filter(({ state }) => state !== "CLOSED");
    const lost = channelsBefore.filter(
      ({ channelId }) => !channels.some((channel) => channel.channelId === channelId),
    );
    // Eclair's states of a channel that closes or failed. A funding that was refused is CLOSED at once: it never was a channel.
    const closing = channels.filter(
      ({ channelId, state }) =>
        /CLOS|SHUTDOWN|NEGOTIATING|ERR_|FUTURE/.test(state) &&
        (state !== "CLOSED" || channelsBefore.some((channel) => channel.channelId === channelId)),
    );
    if (lost.length > 0)
      return `the peer has lost these channels: ${lost.map(({ channelId }) => channelId).join(", ")}`;
    if (closing.length > 0)
      return closing.map(({ channelId, state }) => `channel ${channelId} is in state ${state}`).join("; ");
    return undefined;
  } catch (error) {
    return `the channels of the peer could not be read: ${messageOf(error)}`;
  }
}
