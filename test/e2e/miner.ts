import { OutsideMiner } from "../../scripts/lab/miner/outside.ts";
import { eventually } from "./cli.ts";

const pauseMilliseconds = 8_000;
/** Settings for nodes that wait for blocks: Eclair spreads its work on a block over half a minute otherwise. */
export const hasty = { eclair: { settings: { "channel.max-block-processing-delay": "0 seconds" } } };

/** The lab's miner, and what tests find out by it. */
export class TestMiner extends OutsideMiner {
  /**
   * Mines now and then until something is so. Eclair waits until blocks come more than two seconds apart before it
   * looks at them (`ZmqWatcher`), so that mining without a pause would keep it from ever looking.
   */
  async until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
    let next = 0;
    return await eventually(
      what,
      async () => {
        const found = await probe();
        if (found === undefined && performance.now() > next) {
          await this.mine(6);
          next = performance.now() + pauseMilliseconds;
        }
        return found;
      },
      120,
    );
  }

  /** The fee of a confirmed transaction in satoshis. */
  async feeOf(txid: string): Promise<number> {
    const { fee } = (await this.rpc("getrawtransaction", [txid, 2])) as { fee: number };
    return Math.round(fee * 100_000_000);
  }

  /** Satoshis of an unspent output to that address, found in the chain itself. */
  async received(address: string): Promise<number> {
    const found = (await this.rpc("scantxoutset", ["start", [`addr(${address})`]])) as {
      total_amount: number;
    };
    return Math.round(found.total_amount * 100_000_000);
  }
}
