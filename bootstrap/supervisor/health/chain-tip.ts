import type { Chain } from "../../contract/configuration/node.ts";
import type { BitcoindReport, ChainTipReport } from "../../contract/reports/instance.ts";

/**
 * An older tip means that bitcoind has lost its peers: its `headers` freeze together with its `blocks`, so it counts as
 * synced. Blocks come every ten minutes on average; a pause of three hours happens once in a thousand years. On regtest
 * nobody mines without a reason.
 */
const oldestTipSeconds: Readonly<Record<Chain, number>> = {
  mainnet: 3 * 3600,
  signet: 3 * 3600,
  testnet: 6 * 3600,
  testnet4: 6 * 3600,
  regtest: Infinity,
};
/** A bitcoind that is this much behind another instance of the cluster does not receive the blocks that others receive. */
const maximumBehindBlocks = 2;
const behindForSeconds = 60;

/** How current the tip of this host's chain is. */
export class ChainTip {
  private readonly chain: Chain;
  private last: ChainTipReport = {};
  private behindSince: number | undefined;
  private behindSeconds = 0;

  constructor(chain: Chain) {
    this.chain = chain;
  }

  /**
   * @param bestBlocks the height of the best instance of the cluster, when reports of others are known
   * @param now the time of the wall clock, in milliseconds since 1970
   * @param uptime seconds on CLOCK_BOOTTIME
   */
  observe(bitcoind: BitcoindReport, bestBlocks: number | undefined, now: number, uptime: number): void {
    if (!bitcoind.known) {
      this.last = {};
      this.behindSince = undefined;
      return;
    }
    const behindBlocks = bestBlocks === undefined ? undefined : Math.max(0, bestBlocks - bitcoind.blocks);
    // The time of a block may be up to two hours ahead of the time at which it was found.
    const ageSeconds =
      bitcoind.tipTime === undefined ? undefined : Math.max(0, Math.round(now / 1000 - bitcoind.tipTime));
    this.last = {
      ...(ageSeconds !== undefined && { ageSeconds }),
      ...(behindBlocks !== undefined && { behindBlocks }),
    };
    const isBehind = behindBlocks !== undefined && behindBlocks > maximumBehindBlocks;
    this.behindSince = isBehind ? (this.behindSince ?? uptime) : undefined;
    this.behindSeconds = this.behindSince === undefined ? 0 : uptime - this.behindSince;
  }

  get report(): ChainTipReport {
    return this.last;
  }

  /** Why this host's chain is not current; empty when it is. A bitcoind that does not answer is another problem. */
  get problems(): string[] {
    const { ageSeconds, behindBlocks } = this.last;
    const problems: string[] = [];
    if (ageSeconds !== undefined && ageSeconds > oldestTipSeconds[this.chain])
      problems.push(
        `bitcoind's last block is ${Math.round(ageSeconds / 60)} minutes old: bitcoind may have lost its peers`,
      );
    if (
      behindBlocks !== undefined &&
      this.behindSince !== undefined &&
      this.behindSeconds >= behindForSeconds
    )
      problems.push(`bitcoind is ${behindBlocks} blocks behind the best instance of the cluster`);
    return problems;
  }
}
