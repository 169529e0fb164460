import { execa } from "execa";
import { join } from "node:path";
import { nodeBinary } from "../../machine/paths.mjs";
import { services } from "../addresses.ts";
import type { LabPaths } from "../paths.ts";
import { anyoneDescriptor } from "./rpc.ts";

/** The number of blocks after which a coinbase output can be spent. */
const coinbaseMaturity = 100;

/**
 * A bitcoind of the lab that mines, for a program outside of the lab: it is reachable only inside the lab's network
 * namespace.
 */
export class MinerClient {
  protected readonly lab: LabPaths;
  private readonly address: string;

  /** @param address of another bitcoind than the lab's miner */
  constructor(lab: LabPaths, address: string = services.miner) {
    this.lab = lab;
    this.address = address;
  }

  /** @throws Error with bitcoind's message */
  async rpc(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const { stdout, stderr, exitCode } = await execa(
      "nsenter",
      [
        ...[`--net=/run/netns/${this.lab.netns}`, nodeBinary, join(import.meta.dirname, "call-main.ts")],
        ...[this.address, method, JSON.stringify(params)],
      ],
      { reject: false, stdin: "ignore" },
    );
    if (exitCode !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  async mine(blocks: number): Promise<void> {
    await this.rpc("generatetodescriptor", [blocks, anyoneDescriptor]);
  }

  /** Pays the rewards of blocks to an address, and mines blocks until the rewards can be spent. */
  async fund(address: string, rewards = 1): Promise<void> {
    await this.rpc("generatetoaddress", [rewards, address]);
    await this.mine(coinbaseMaturity);
  }
}
