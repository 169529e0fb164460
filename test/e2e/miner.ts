import { execa } from "execa";
import { readFacts } from "../../scripts/lab/facts.ts";
import { MinerClient } from "../../scripts/lab/miner/miner-client.ts";
import { eventually } from "./cli.ts";

const miningIntervalMilliseconds = 8_000;
/** With these settings, Eclair processes each block at once. By default, it waits for up to half a minute. */
export const withoutBlockDelay = {
  eclair: { settings: { "channel.max-block-processing-delay": "0 seconds" } },
};

/** The lab's miner, with the queries that tests need. */
export class TestMiner extends MinerClient {
  /**
   * Mines six blocks every eight seconds until `probe` returns a value. Eclair processes new blocks only after two seconds
   * without another block (`ZmqWatcher`), so it would never process blocks that are mined without a pause.
   */
  async mineUntil<T>(description: string, probe: () => Promise<T | undefined>): Promise<T> {
    let nextMiningAt = 0;
    return await eventually(description, async () => {
      const result = await probe();
      if (result === undefined && performance.now() > nextMiningAt) {
        await this.mine(6);
        nextMiningAt = performance.now() + miningIntervalMilliseconds;
      }
      return result;
    });
  }

  /** Stops the block that the lab mines every half minute. @returns a function that continues */
  async pause(): Promise<() => void> {
    const pid = String(readFacts(this.lab)?.initProcess?.pid);
    const { stdout } = await execa("pgrep", [
      ...["--ns", pid, "--nslist", "net"],
      ...["--full", "lab/miner/main.ts"],
    ]);
    if (!/^\d+$/.test(stdout)) throw new Error(`the lab has no single miner: ${stdout}`);
    process.kill(Number(stdout), "SIGSTOP");
    return () => process.kill(Number(stdout), "SIGCONT");
  }

  /** The fee of a confirmed transaction in satoshis. */
  async feeOf(txid: string): Promise<number> {
    const { fee } = (await this.rpc("getrawtransaction", [txid, 2])) as { fee: number };
    return Math.round(fee * 100_000_000);
  }

  /** The satoshis of the unspent outputs to an address, from bitcoind's UTXO set. */
  async received(address: string): Promise<number> {
    const outputs = (await this.rpc("scantxoutset", ["start", [`addr(${address})`]])) as {
      total_amount: number;
    };
    return Math.round(outputs.total_amount * 100_000_000);
  }
}
