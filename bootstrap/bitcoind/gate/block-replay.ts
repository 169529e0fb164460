import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { logErrors } from "../../os/log-errors.ts";
import { logEvent } from "../../os/log.ts";
import type { BitcoindClient } from "../rpc/client.ts";
import type { Publisher } from "../zmq/publisher.ts";

const Block = z.object({ tx: z.array(z.looseObject({ hex: z.string() })) });
/** A block with its transactions has up to twenty megabytes of JSON. */
const blockMilliseconds = 30_000;
/** Less than the backlog with which the publisher ends a connection. */
const fullBacklogBytes = 8 * 1024 * 1024;
const drainMilliseconds = 20;
const transactionTopic = "rawtx";

/**
 * Announces to Eclair the transactions of blocks whose own announcement it has missed. After an announcement, Eclair reads six
 * blocks only (`scan-previous-blocks-depth`), and looks for spent channels in no older block before its next start.
 */
export class BlockReplay {
  private readonly publisher: Publisher;
  /** Eclair knows the transactions up to this height. */
  private height: number | undefined;
  /** Whether a message after this height was not passed on. */
  private hasDropped = false;
  private isRunning = false;

  constructor(publisher: Publisher) {
    this.publisher = publisher;
  }

  /** The height up to which Eclair knows the transactions of the blocks; undefined before the first one. */
  get knownHeight(): number | undefined {
    return this.height;
  }

  /** Continues for the Eclair to which an earlier gate announced the blocks up to a height. */
  resume(height: number): void {
    this.height = height;
    this.hasDropped = true;
  }

  /** A message of the bitcoind in use was not passed on, or another bitcoind was chosen. */
  noteDropped(): void {
    this.hasDropped = true;
  }

  /**
   * Follows the bitcoind in use. The caller does not wait: many blocks take minutes.
   * @param blocks its height
   * @param isConnected whether an Eclair is connected; it reads the chain itself when it starts
   */
  follow(client: BitcoindClient, blocks: number, isConnected: boolean): void {
    if (this.isRunning) return;
    // After an interruption, Eclair subscribes again within a second.
    if (isConnected && !this.publisher.hasSubscriber(transactionTopic)) return;
    const { height, hasDropped } = this;
    if (isConnected && height !== undefined && blocks > height && (hasDropped || blocks > height + 1)) {
      this.isRunning = true;
      void logErrors("replay-blocks", () => this.replay(client, height + 1, blocks)).finally(() => {
        this.isRunning = false;
        if (this.height !== blocks) this.hasDropped = true;
      });
      return;
    }
    if (blocks !== height) this.hasDropped = false;
    this.height = blocks;
  }

  /** After an error, the next call of `follow` continues. */
  private async replay(client: BitcoindClient, from: number, to: number): Promise<void> {
    this.hasDropped = false;
    for (let height = from; height <= to; height += 1) {
      const hash = await client("getblockhash", [height]);
      const block = await client("getblock", [hash, 2], { milliseconds: blockMilliseconds });
      for (const { hex } of Block.parse(block).tx)
        this.publisher.publish([Buffer.from(transactionTopic), Buffer.from(hex, "hex"), Buffer.alloc(4)]);
      while (this.publisher.backlogBytes > fullBacklogBytes) await sleep(drainMilliseconds);
      // Eclair has disconnected, perhaps before it had read the block.
      if (!this.publisher.hasSubscriber(transactionTopic)) return;
      this.height = height;
    }
    logEvent("bitcoind.blocks-replayed", { from, to });
  }
}
