import type { BitcoindReport } from "../../contract/reports/bitcoind.ts";
import type { LeaseReport, Role } from "../../contract/reports/instance.ts";
import type { EclairProcesses } from "../../eclair/processes.ts";
import type { ArmInputs, Slot } from "../../eclair/slot.ts";
import { logErrors } from "../../os/log-errors.ts";
import { restartSupervisor } from "../../os/systemd.ts";
import type { ContextReloader } from "../reload/context-reloader.ts";
import type { Backoff } from "./backoff.ts";
import type { ConfigurationCheck } from "./configuration-check.ts";
import { PageCacheWarmer } from "./page-cache-warmer.ts";

/** The time from Eclair's start to its first connection, with a margin, for `failover.armed: false`. */
const armAheadSeconds = 4;

/** Keeps this host ready to take over: Eclair's files are in the page cache, and an Eclair with current inputs is armed. */
export class Standby {
  private readonly reloader: ContextReloader;
  private readonly processes: EclairProcesses;
  private readonly backoff: Backoff;
  private readonly check: ConfigurationCheck;
  private readonly pageCache = new PageCacheWarmer();

  constructor(
    reloader: ContextReloader,
    processes: EclairProcesses,
    backoff: Backoff,
    check: ConfigurationCheck,
  ) {
    this.reloader = reloader;
    this.processes = processes;
    this.backoff = backoff;
    this.check = check;
  }

  /** While another Eclair holds the lease, an Eclair is armed when the lease has at most this many seconds left. */
  get armAtRemainingSeconds(): number {
    return this.armBeforeExpiry ? armAheadSeconds : Infinity;
  }

  get armBeforeExpiry(): boolean {
    return !this.reloader.context.node.configuration.failover.armed;
  }

  /** Why Eclair's configuration keeps this host from being ready. The files of a later boot are not in use until Eclair accepts them. */
  get configurationProblem(): string | undefined {
    const { renderedId } = this.reloader.context;
    const refusal = this.check.problem(this.currentFiles) ?? this.check.problem(renderedId);
    if (refusal !== undefined || this.check.accepts(renderedId)) return refusal;
    return "Eclair has not checked its configuration yet";
  }

  /** The id of the files with which an Eclair starts now. */
  private get currentFiles(): string {
    return (this.reloader.next ?? this.reloader.context).renderedId;
  }

  /**
   * Checks whether another boot rendered other files.
   * @param isPassive whether this host can boot again without an effect on the node
   */
  async pollReload(isPassive: () => boolean): Promise<void> {
    this.reloader.poll();
    // The armed Eclair is useless with another database endpoint, or without its door.
    if (this.reloader.needsRestart && isPassive()) await restartSupervisor();
  }

  /**
   * Switches to the files of another boot when no Eclair needs the current files. The supervisor calls this method between
   * two passes of its loop, so that the context does not change during a pass.
   * @param roleSeconds how long the host has had this role
   */
  async reload(role: Role, roleSeconds: number): Promise<void> {
    const { next, context } = this.reloader;
    if (next === undefined) return;
    // The context contains what this host knows about a switchover, or about a snapshot.
    if (context.duties.isSwitchoverUnderWay && this.processes.armed === undefined) return;
    if (context.duties.isSnapshotUnderWay) return;
    if (!this.reloader.canSwitch(this.processes, role, roleSeconds)) return;
    this.reloader.switchTo(next);
    await logErrors("kill-outdated", () => this.processes.killOutdated(this.reloader.renderedIds));
  }

  async arm(bitcoind: BitcoindReport): Promise<void> {
    this.backoff.noteArmed();
    await this.processes.arm(this.currentInputs(bitcoind));
  }

  /** An Eclair that serves has accepted the files with which it started. */
  noteServing({ armInputs }: Pick<Slot, "armInputs">): void {
    if (armInputs !== undefined) this.check.noteAccepted(armInputs.rendered);
  }

  /** An Eclair takes over, and needs the processors. */
  async endCheck(): Promise<void> {
    await this.check.end();
  }

  /** Kills the armed Eclairs that cannot be used any more. */
  async killUnwanted(): Promise<void> {
    await logErrors("kill-outdated", () => this.processes.killOutdated(this.reloader.renderedIds));
    await logErrors("kill-unwanted", () => this.processes.killUnwanted());
  }

  /**
   * Arms a second Eclair when the armed Eclair is outdated; the older Eclair is killed when the second is armed. With
   * `failover.armed: false`, kills an armed Eclair when the lease was renewed.
   */
  async keepFresh({
    lease,
    bitcoind,
    isHolderSilent,
  }: {
    readonly lease: LeaseReport;
    readonly bitcoind: BitcoindReport;
    /** This host may claim the lease soon. */
    readonly isHolderSilent: boolean;
  }): Promise<void> {
    void this.pageCache.poll();
    // The armed Eclair comes first: with it, this host can take over.
    const hasArmed = this.armBeforeExpiry || this.processes.armed !== undefined;
    if (hasArmed && !isHolderSilent) this.check.poll(this.currentFiles);
    const renewed = lease.known && lease.remainingSeconds > armAheadSeconds;
    if (this.armBeforeExpiry && renewed && !isHolderSilent)
      return await logErrors("disarm", async () => this.processes.armed?.kill());
    const { context } = this.reloader;
    if (
      context.startGuard.refused !== undefined ||
      this.processes.arming !== undefined ||
      !this.backoff.mayArmAgain
    )
      return;
    // An armed Eclair whose files were accepted is better than one whose files were not.
    if (this.currentFiles !== context.renderedId && !this.check.accepts(this.currentFiles)) return;
    if (this.processes.isStale(this.currentInputs(bitcoind)))
      await logErrors("arm", () => this.arm(bitcoind));
  }

  /** The inputs of an Eclair that starts now. */
  private currentInputs(bitcoind: BitcoindReport): ArmInputs {
    return {
      blocks: bitcoind.known ? bitcoind.blocks : 0,
      rendered: this.currentFiles,
      record: this.reloader.context.startGuard.record,
    };
  }
}
