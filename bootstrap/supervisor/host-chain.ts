import type { BitcoindReport, BitcoindSummary } from "../contract/reports/bitcoind.ts";
import type { EclairProcesses } from "../eclair/processes.ts";
import type { Slot } from "../eclair/slot.ts";
import { boottime } from "../os/clock.ts";
import { logErrors } from "../os/log-errors.ts";
import type { CurrentRole } from "./current-role.ts";
import type { HostHealth } from "./group/group-lifecycle.ts";
import type { ContextReloader } from "./reload/context-reloader.ts";
import { BitcoindControl } from "./chain/bitcoind-control.ts";
import { ChainHandover } from "./chain/handover.ts";

type Parts = {
  readonly reloader: ContextReloader;
  readonly processes: EclairProcesses;
  readonly role: CurrentRole;
  /** Stops Eclair, so that another host takes over. */
  readonly handOver: () => Promise<void>;
};

/** The bitcoinds of this host behind their gate, and the state of their chain. */
export class HostChain {
  private readonly parts: Parts;
  private readonly control = new BitcoindControl(() => this.observe());
  readonly chainHandover = new ChainHandover();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  start(): void {
    this.control.start();
    this.follow();
  }

  stop(): void {
    this.control.stop();
  }

  get bitcoind(): BitcoindReport {
    return this.control.report;
  }

  get bitcoinds(): readonly BitcoindSummary[] {
    return this.control.summaries;
  }

  /** The health of this host for its Auto Scaling group. */
  get hostHealth(): HostHealth {
    const { node, chainHealth } = this.parts.reloader.context;
    const isLocal = node.configuration.bitcoind.local !== undefined;
    return {
      healthy: this.bitcoind.known,
      // Another instance would not repair a remote bitcoind.
      brokenForSeconds: isLocal ? chainHealth.brokenSeconds : 0,
    };
  }

  /**
   * Sends the gate what it needs to know about this host.
   * @param open the Eclair of this host whose gate is open, or is about to open
   */
  follow(open: Slot | undefined = this.parts.processes.open): void {
    const { reloader } = this.parts;
    const { duties } = reloader.context;
    // Eclair checks the wallet before it reaches its gate. An Eclair that is connected keeps the bitcoinds of its context: another
    // login would be another bitcoind, to which the locks of outputs do not follow.
    const { node, secrets } = (open === undefined ? reloader.next : undefined) ?? reloader.context;
    this.control.follow({
      configuration: node.configuration,
      eclairVersion: node.eclair,
      secrets,
      openEclair: open?.eclairInstanceId,
      ...{ nextAddresses: duties.nextAddresses, settledBlock: duties.settledBlock },
    });
  }

  /** Follows the state of this host's chain, and moves the node to a host with a better one. */
  observe(): void {
    const { node, chainHealth, duties } = this.parts.reloader.context;
    const { control, bitcoind } = this;
    const { answeredAt, localAnsweredAt, isUsable } = control;
    const observed = { bitcoind, answeredAt, localAnsweredAt, isUsable, others: duties.otherBitcoinds };
    chainHealth.observe(observed, Date.now(), boottime());
    const isHealthy = bitcoind.known && isUsable && chainHealth.problems.length === 0;
    this.chainHandover.observe(chainHealth.fault, isHealthy, node.configuration.failover.bitcoind);
    if (this.parts.role.name !== "active") return;
    void logErrors("chain-handover", () =>
      this.chainHandover.handOverIfDue(() => duties.readOthers(), this.parts.handOver),
    );
  }
}
