import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { InstanceReport } from "../../contract/reports/instance.ts";
import { isReadyStandby } from "../../contract/reports/standby.ts";
import { boottime } from "../../os/clock.ts";
import { logError, logEvent } from "../../os/log.ts";
import { paths } from "../../os/paths.ts";
import { retrySeconds, takeoverSeconds } from "../takeover-times.ts";
import type { ChainFault, ChainLimits } from "./chain-health.ts";

/** A fault can last for hours without a better instance. */
const askAgainSeconds = 5;

const State = z.object({
  /** On CLOCK_BOOTTIME: the file does not survive a boot. */
  handedOverAt: z.number(),
  reason: z.string(),
  /** Whether bitcoind has been healthy for long enough since then. */
  hasRecovered: z.boolean().optional(),
});

/** Where the supervisor keeps what a restart must not forget. */
export type HandoverStore = {
  readonly read: () => string | undefined;
  readonly write: (text: string) => void;
};
const file: HandoverStore = {
  read: () => (existsSync(paths.chainHandover) ? readFileSync(paths.chainHandover, "utf8") : undefined),
  write: (text) => {
    // The folder is in RAM, so a power loss takes the file with it.
    const temporary = `${paths.chainHandover}.new`;
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, paths.chainHandover);
  },
};

/**
 * Moves the node to a host with a better bitcoind. After that, this host is not ready before its bitcoind has been healthy
 * for some minutes, so that the node does not move back and forth.
 */
export class ChainHandover {
  private readonly store: HandoverStore;
  private readonly now: () => number;
  private state: z.infer<typeof State> | undefined;
  private healthySince: number | undefined;
  private deciding = false;
  /** When no other instance was better. */
  private noneBetterAt = -Infinity;
  private fault: ChainFault | undefined;

  constructor(store: HandoverStore = file, now: () => number = boottime) {
    this.store = store;
    this.now = now;
    const text = store.read();
    this.state = text === undefined ? undefined : State.parse(JSON.parse(text));
  }

  /** @param fault of this host's chain, when one has lasted for its whole limit */
  observe(fault: ChainFault | undefined, isHealthy: boolean, { recoverySeconds }: ChainLimits): void {
    this.fault = fault;
    this.healthySince = isHealthy ? (this.healthySince ?? this.now()) : undefined;
    const { state } = this;
    if (state === undefined || state.hasRecovered === true || this.healthySeconds < recoverySeconds) return;
    this.state = { ...state, hasRecovered: true };
    this.remember();
  }

  /**
   * Hands the node over when this host's chain has a fault that a ready standby does not have. The caller does not wait.
   * @param others reads the reports of the other instances
   */
  async handOverIfDue(
    others: () => Promise<readonly InstanceReport[]>,
    handOver: () => Promise<void>,
  ): Promise<void> {
    const { fault } = this;
    const handedOverAt = this.state?.handedOverAt ?? -Infinity;
    if (fault === undefined || this.deciding || this.now() - handedOverAt < retrySeconds) return;
    if (this.now() - this.noneBetterAt < askAgainSeconds) return;
    this.deciding = true;
    try {
      const better = (await others()).find((other) => isBetter(other, fault));
      if (better === undefined) this.noneBetterAt = this.now();
      // The bitcoind may have recovered meanwhile.
      if (better === undefined || this.fault === undefined) return;
      const { instanceId } = better.identity;
      logEvent("bitcoind.hands-over", { reason: fault.reason, readyInstanceId: instanceId }, "warn");
      const previous = this.state;
      this.state = { handedOverAt: this.now(), reason: fault.reason };
      try {
        await handOver();
      } catch (error) {
        // Eclair still serves here: the next call tries again.
        this.state = previous;
        throw error;
      }
      this.remember();
    } finally {
      this.deciding = false;
    }
  }

  /** Why this host leaves a free lease to another host for now. */
  get holdBackReason(): string | undefined {
    const { state } = this;
    if (state === undefined || this.now() - state.handedOverAt > takeoverSeconds) return undefined;
    return `another instance takes over: ${state.reason}`;
  }

  /** Why this host is not a ready standby after it handed the node over. */
  recoveryProblem({ recoverySeconds }: ChainLimits): string | undefined {
    const { state, healthySeconds } = this;
    if (state === undefined || state.hasRecovered === true) return undefined;
    return `this instance handed the node over (${state.reason}); its bitcoind has been healthy for ${Math.floor(healthySeconds)} s of ${recoverySeconds} s`;
  }

  /** How long bitcoind has been healthy since the node was handed over. */
  private get healthySeconds(): number {
    const { healthySince, state } = this;
    return healthySince === undefined
      ? 0
      : this.now() - Math.max(healthySince, state?.handedOverAt ?? -Infinity);
  }

  private remember(): void {
    try {
      this.store.write(JSON.stringify(this.state));
    } catch (error) {
      logError("supervisor.action-failed", error, { action: "remember-handover" });
    }
  }
}

/** Whether another instance can take over at once, and does not have the same fault. */
function isBetter(other: InstanceReport, fault: ChainFault): boolean {
  const { bitcoind, chainTip } = other;
  if (!isReadyStandby(other) || !bitcoind.known) return false;
  if (fault.kind === "no-peers") return (bitcoind.peers ?? 0) > 0;
  // A standby compares itself with this host as well.
  return fault.kind === "unreachable" || fault.kind === "unusable" || (chainTip?.behindBlocks ?? 0) === 0;
}
