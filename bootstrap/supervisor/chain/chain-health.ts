import type { Chain, NodeConfiguration } from "../../contract/configuration/node.ts";
import type { BitcoindReport } from "../../contract/reports/bitcoind.ts";
import type { ChainTipReport } from "../../contract/reports/instance.ts";

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

export type ChainLimits = NodeConfiguration["failover"]["bitcoind"];

/** The bitcoinds of the other instances, by their fresh reports. */
export type OtherBitcoinds = {
  /** The height of the bitcoind with the most work; undefined while none is known. */
  readonly bestBlocks: number | undefined;
  /** Whether one of them is known to have peers. */
  readonly havePeers: boolean;
};

export type ChainObservation = {
  readonly bitcoind: BitcoindReport;
  /** When bitcoind answered last, on CLOCK_BOOTTIME. The error -28, "loading", is an answer. */
  readonly answeredAt: number | undefined;
  /** When the local bitcoind answered last, on CLOCK_BOOTTIME. */
  readonly localAnsweredAt: number | undefined;
  /** Whether Eclair can use this bitcoind. */
  readonly isUsable: boolean;
  readonly others: OtherBitcoinds;
};

/** Why the node should leave this host, when another host is better in this respect. */
export type ChainFault = {
  readonly kind: "unreachable" | "unusable" | "behind" | "no-peers";
  readonly reason: string;
};

/** The state of this host's chain over time: whether bitcoind answers, has peers, and follows the best chain. */
export class ChainHealth {
  private readonly chain: Chain;
  private readonly limits: ChainLimits;
  private last: ChainTipReport = {};
  private answeredAt: number;
  private localAnsweredAt: number;
  private usableAt = -Infinity;
  private unusableSince: number | undefined;
  private problem: string | undefined;
  private behindSince: number | undefined;
  private peerlessSince: number | undefined;
  private observedAt: number;
  private isKnown = false;

  /** @param uptime seconds on CLOCK_BOOTTIME, here and below */
  constructor(chain: Chain, limits: ChainLimits, uptime: number) {
    this.chain = chain;
    this.limits = limits;
    this.answeredAt = uptime;
    this.localAnsweredAt = uptime;
    this.observedAt = uptime;
  }

  /** @param now the time of the wall clock, in milliseconds since 1970 */
  observe(observation: ChainObservation, now: number, uptime: number): void {
    const { bitcoind, answeredAt, localAnsweredAt, isUsable, others } = observation;
    this.observedAt = uptime;
    this.isKnown = bitcoind.known;
    if (bitcoind.known && isUsable) this.usableAt = uptime;
    this.answeredAt = Math.max(this.answeredAt, answeredAt ?? -Infinity);
    this.localAnsweredAt = Math.max(this.localAnsweredAt, localAnsweredAt ?? -Infinity);
    // A bitcoind that loads, or that ends again and again while it loads, is not usable either. Silence has a limit of its own.
    const answers = bitcoind.known || bitcoind.warmingUp === true;
    if (bitcoind.known && isUsable) this.unusableSince = undefined;
    else if (answers) this.unusableSince ??= uptime;
    this.problem = bitcoind.known ? bitcoind.problem : bitcoind.reason;
    if (!bitcoind.known) {
      this.last = {};
      this.behindSince = undefined;
      this.peerlessSince = undefined;
      return;
    }
    const { bestBlocks } = others;
    const behindBlocks = bestBlocks === undefined ? undefined : Math.max(0, bestBlocks - bitcoind.blocks);
    // The time of a block may be up to two hours ahead of the time at which it was found.
    const ageSeconds =
      bitcoind.tipTime === undefined ? undefined : Math.max(0, Math.round(now / 1000 - bitcoind.tipTime));
    this.last = {
      ...(ageSeconds !== undefined && { ageSeconds }),
      ...(behindBlocks !== undefined && { behindBlocks }),
    };
    const isBehind = behindBlocks !== undefined && behindBlocks >= this.limits.behindBlocks;
    this.behindSince = isBehind ? (this.behindSince ?? uptime) : undefined;
    const isPeerless = bitcoind.peers === 0 && others.havePeers;
    this.peerlessSince = isPeerless ? (this.peerlessSince ?? uptime) : undefined;
  }

  get report(): ChainTipReport {
    return this.last;
  }

  /** Seconds since the local bitcoind answered last, or Eclair could use a bitcoind last. */
  get brokenSeconds(): number {
    return this.observedAt - Math.max(this.localAnsweredAt, this.usableAt);
  }

  /** Seconds without an answer of the bitcoind that Eclair uses. */
  private get unansweredSeconds(): number {
    return this.isKnown ? 0 : this.observedAt - this.answeredAt;
  }

  /** The fault that has lasted for its whole limit; the gravest one. */
  get fault(): ChainFault | undefined {
    const { limits, last, unansweredSeconds, unusableSince, behindSince, peerlessSince, observedAt } = this;
    if (unansweredSeconds >= limits.unreachableSeconds)
      return {
        kind: "unreachable",
        reason: `bitcoind has not answered for ${Math.round(unansweredSeconds)} s`,
      };
    if (unusableSince !== undefined && observedAt - unusableSince >= limits.behindSeconds)
      return { kind: "unusable", reason: `Eclair cannot use bitcoind: ${this.problem}` };
    if (behindSince !== undefined && observedAt - behindSince >= limits.behindSeconds)
      return {
        kind: "behind",
        reason: `bitcoind is ${last.behindBlocks} blocks behind the best instance of the cluster`,
      };
    if (peerlessSince !== undefined && observedAt - peerlessSince >= limits.noPeersSeconds)
      return { kind: "no-peers", reason: "bitcoind has no peers, and another instance has peers" };
    return undefined;
  }

  /** Why this host's chain is not current; empty when it is. The report of bitcoind says whether Eclair can use it. */
  get problems(): string[] {
    const { ageSeconds } = this.last;
    const problems: string[] = [];
    if (ageSeconds !== undefined && ageSeconds > oldestTipSeconds[this.chain])
      problems.push(
        `bitcoind's last block is ${Math.round(ageSeconds / 60)} minutes old: bitcoind may have lost its peers`,
      );
    const { fault } = this;
    if (fault?.kind === "behind" || fault?.kind === "no-peers") problems.push(fault.reason);
    return problems;
  }
}
