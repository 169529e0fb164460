import type { EclairReport, InstanceReport, LeaseReport, Role } from "../contract/reports/instance.ts";
import { HostChain } from "./host-chain.ts";
import { EclairProcesses } from "../eclair/processes.ts";
import type { Slot } from "../eclair/slot.ts";
import { boottime } from "../os/clock.ts";
import { logErrors } from "../os/log-errors.ts";
import { logEvent } from "../os/log.ts";
import { notify } from "../os/notify.ts";
import { ConnectedEclair } from "./connected-eclair.ts";
import type { NodeContext } from "./context/node-context.ts";
import { CurrentRole } from "./current-role.ts";
import { Decider, type Observed } from "./decider.ts";
import { eclairReport } from "./eclair-report.ts";
import { EclairPoller } from "./eclair-poller.ts";
import { buildReport } from "./health/report.ts";
import { LeaseReleaser } from "./lease/lease-releaser.ts";
import { isLastHost, leaseOwner } from "./lease/ownership.ts";
import { disconnectPeers } from "./door/disconnect-peers.ts";
import { DoorControl } from "./door/door-control.ts";
import { ContextReloader } from "./reload/context-reloader.ts";
import { Backoff } from "./standby/backoff.ts";
import { ConfigurationCheck } from "./standby/configuration-check.ts";
import { permitEndsBefore } from "./silence/outgoing-permit.ts";
import { SilenceControl } from "./silence/silence-control.ts";
import { Standby } from "./standby/standby.ts";
import { StartFailures } from "./standby/start-failures.ts";

/** A supervisor that has not followed the lease, or not polled, for this time hangs. */
const followWithinSeconds = 15;
const pollWithinSeconds = 60;
/** In these roles, a boot does not affect the node. */
const passiveRoles: readonly Role[] = ["standby", "waiting"];
/** The time from Eclair's start to its gate, on a slow machine. */
const armsWithinSeconds = 60;
/** When the holder has been silent for this time, an Eclair is armed in any case. */
const armAtSilentSeconds = 1;
/**
 * Runs Eclair on this host whenever the host may run it. Three loops run side by side: `followLease` reads the lease and
 * acts, `poll` reads everything that takes longer, and `enforceWatchdog` waits for nothing and kills an Eclair that
 * another host could replace.
 */
export class Supervisor {
  private readonly reloader = new ContextReloader();
  private readonly role = new CurrentRole();
  private readonly backoff = new Backoff();
  private readonly leaseReleaser = new LeaseReleaser(() => this.context.leaseDatabase);
  private readonly processes: EclairProcesses;
  private readonly poller: EclairPoller;
  private readonly standby: Standby;
  private readonly startFailures = new StartFailures();
  private readonly silence: SilenceControl;
  private readonly connected: ConnectedEclair;
  private readonly chain: HostChain;
  private readonly decider: Decider;
  /** Undefined with `door: off`. */
  private readonly door: DoorControl | undefined;
  private lease: LeaseReport = { known: false, reason: "not read yet" };
  private followedLeaseAt = boottime();
  private polledAt = boottime();

  constructor() {
    this.processes = new EclairProcesses(this.context.endpoint, (slot) => this.onEclairEnded(slot));
    this.poller = new EclairPoller(this.reloader, this.processes);
    this.standby = new Standby(this.reloader, this.processes, this.backoff, new ConfigurationCheck());
    const { configuration, identity } = this.context.node;
    this.silence = new SilenceControl(identity.privateIp, configuration.failover.silenceSeconds, () => ({
      database: this.context.database,
      leaseDatabase: this.context.leaseDatabase,
      instanceId: this.context.node.identity.instanceId,
      hostKey: this.context.secrets.hostKey,
    }));
    this.door = configuration.door === "on" ? new DoorControl(identity.privateIp) : undefined;
    const { reloader, role, processes, poller, silence, backoff, leaseReleaser } = this;
    this.connected = new ConnectedEclair({
      ...{ reloader, role, processes, poller, silence, backoff, leaseReleaser },
      onConnecting: (slot) => {
        void this.standby.endCheck();
        this.chain.follow(slot);
        // The door tries this Eclair until it listens.
        this.routeDoor(slot);
      },
      onDisconnecting: () => this.routeDoor(),
    });
    const { connected, standby, startFailures } = this;
    this.chain = new HostChain({ reloader, processes, role, handOver: () => connected.handOver() });
    this.decider = new Decider({
      ...{ reloader, connected, poller, standby, backoff, startFailures },
      chainHandover: this.chain.chainHandover,
    });
  }

  /** Whether Eclair runs on this host, answers, and holds the lease. */
  private get isActive(): boolean {
    return this.role.name === "active" && this.context.watchdog.secondsLeft(boottime()) > 0;
  }

  private get context(): NodeContext {
    return this.reloader.context;
  }

  /** Kills the Eclairs of an earlier supervisor, and releases their lease. */
  async start(): Promise<void> {
    await this.processes.killAll();
    await this.processes.listen();
    this.silence.listen();
    this.leaseReleaser.resume();
    this.chain.start();
    this.door?.start();
  }

  /** Reads the lease, decides, and acts. */
  async followLease(): Promise<void> {
    this.processes.detectExits();
    if (this.connected.stopReason === undefined) await this.standby.reload(this.role.name, this.role.seconds);
    const readAt = boottime();
    const reading = await this.context.leaseDatabase.readLease();
    this.lease = reading.report;
    this.context.watchdog.observe(this.lease, readAt, this.processes.open?.eclairInstanceId);
    this.silence.observe(reading);
    await this.silence.claimIfDue(this.isReadyStandby);
    await this.leaseReleaser.retry();
    this.role.follow(await this.decider.decide(() => this.observed));
    await this.act();
    this.routeDoor();
    this.followedLeaseAt = boottime();
    if (this.poller.info === undefined) void this.poller.poll();
  }

  /** Polls bitcoind, systemd and Eclair, keeps the armed Eclair current, and reports this instance's state. */
  async poll(): Promise<void> {
    this.reloader.closeRetired();
    await logErrors("reload", () => this.standby.pollReload(() => this.isPassive));
    this.chain.follow();
    await Promise.all([
      // When systemd does not answer, the last state remains.
      logErrors("poll-units", () => this.processes.pollIfDue()),
      this.poller.poll(),
    ]);
    // In any case: a gate that hangs sends no status.
    this.chain.observe();
    this.context.chainDisk?.poll();
    this.startFailures.noteProgress(this.role.name, this.processes.armed !== undefined);
    await this.standby.killUnwanted();
    if (this.role.name === "standby") {
      const { startGuard } = this.context;
      if (startGuard.isDue) await startGuard.check();
      await this.standby.keepFresh(this.observed);
    }
    const { open } = this.processes;
    void this.silence.poll(this.role.name, open?.eclairInstanceId);
    if (this.role.name === "active" && open?.eclairInstanceId !== undefined) {
      this.standby.noteServing(open);
      this.context.recordMirror.poll(open.eclairInstanceId);
      await this.connected.describeHolder(open.eclairInstanceId);
    }
    this.context.budget.poll({
      isStopping: this.connected.stopReason !== undefined,
      bitcoind: this.chain.bitcoind,
      active: this.isActive ? this.poller.info : undefined,
      isOtherActive:
        this.context.duties.isOtherActive ||
        leaseOwner(this.lease, this.processes.open?.eclairInstanceId) === "other",
    });
    this.context.duties.poll(this.report(), this.chain.hostHealth, {
      handOver: () => this.connected.handOver(),
      standDown: (reason) => this.connected.standDown(reason),
      disconnectPeers: () => disconnectPeers(this.context.node, this.door),
      isPassive: () => this.isPassive,
      isActive: () => this.processes.open !== undefined,
      isLastHolder: () => isLastHost(this.lease, this.context.node.identity.privateIp),
      secretVersions: () => (this.reloader.next ?? this.context).node.secretVersions,
      // A database that does not answer says nothing about the holder.
      isHolderFine: () => !this.isHolderSilent && leaseOwner(this.lease, undefined) !== "free",
    });
    this.polledAt = boottime();
  }

  /** When the Eclair that is connected to the database must be mute, on CLOCK_BOOTTIME. */
  private get deadline(): number {
    return Math.min(this.context.watchdog.deadline ?? Infinity, this.silence.deadline ?? Infinity);
  }

  private get isHolderSilent(): boolean {
    return this.silence.silentSeconds > armAtSilentSeconds;
  }

  private get eclair(): EclairReport {
    return eclairReport(this.processes, this.poller, this.standby);
  }

  private get observed(): Observed {
    const { lease, eclair, isHolderSilent } = this;
    return { lease, eclair, isHolderSilent, bitcoind: this.chain.bitcoind };
  }

  private get isReadyStandby(): boolean {
    const { role, ready } = this.role.decision;
    return role === "standby" && ready && this.processes.armed !== undefined;
  }

  /** Whether both loops run; systemd kills a supervisor whose loops hang. */
  get isLive(): boolean {
    const now = boottime();
    return now - this.followedLeaseAt < followWithinSeconds && now - this.polledAt < pollWithinSeconds;
  }

  /** Kills an Eclair that another host could replace. The function is synchronous, so nothing delays it. */
  enforceWatchdog(): void {
    const { open } = this.processes;
    const now = boottime();
    this.silence.askIfDue(now);
    // Promises of the claimants extend the deadline.
    this.routeDoor();
    if (open === undefined || !open.gate.isOpen) return;
    const isSilent = now >= (this.silence.deadline ?? Infinity);
    const cause = isSilent ? "silence" : this.context.watchdog.endCause(now);
    if (cause === undefined) {
      // The permit outlives this supervisor, and ends at the deadline at the latest.
      if (permitEndsBefore(this.deadline, now)) this.silence.permitOutgoing();
      return;
    }
    logEvent("eclair.killed", { cause, pid: open.pid, eclairInstanceId: open.eclairInstanceId }, "warn");
    void logErrors("kill", () => open.kill());
  }

  report(): InstanceReport {
    return buildReport(this.context, {
      decision: this.role.decision,
      roleSince: this.role.since,
      isLive: this.isLive,
      isActive: this.isActive,
      bitcoind: this.chain.bitcoind,
      bitcoinds: this.chain.bitcoinds,
      lease: this.lease,
      eclair: this.eclair,
      door: this.door,
      boot: this.reloader.boot,
    });
  }

  /** Who may read the report and the metrics, in addition to this host. */
  get scrapers(): string[] {
    return this.context.node.configuration.health.scrapers;
  }

  summary(): string {
    return [this.role.name, ...this.role.decision.reasons].join("; ");
  }

  /** Stops Eclair, because systemd stops this supervisor. */
  async shutDown(): Promise<void> {
    const { stopReason = "the supervisor is stopping" } = this.connected;
    await Promise.all([notify("--stopping"), this.connected.standDown(stopReason)]);
  }

  async close(): Promise<void> {
    this.door?.stop();
    this.chain.stop();
    this.silence.close();
    await this.context.settle();
    await this.context.duties.reportFinal(this.report());
    await this.context.close();
  }

  /** Whether this host can boot again without an effect on the node. */
  private get isPassive(): boolean {
    const role = this.role.name;
    if (this.connected.stopReason !== undefined) return false;
    if (passiveRoles.includes(role)) return true;
    // An Eclair that does not reach its gate may need the changed secret or configuration.
    const { open, armed } = this.processes;
    const none = open === undefined && armed === undefined;
    return role === "starting" && none && this.role.seconds > armsWithinSeconds;
  }

  private async act(): Promise<void> {
    const { action } = this.role.decision;
    if (action === "arm") await logErrors("arm", () => this.standby.arm(this.chain.bitcoind));
    if (action === "open") await logErrors("open", () => this.connected.connect());
    if (action === "kill") await logErrors("kill", async () => this.processes.open?.kill());
  }

  private onEclairEnded(slot: Slot): void {
    void this.startFailures.noteEnding(slot, this.poller.hasAnswered || this.connected.isStopping);
    this.connected.noteEnded(slot);
  }

  /**
   * Sends the location of the active Eclair to the door.
   * @param open the Eclair of this host whose gate is open, or is about to open
   */
  private routeDoor(open: Slot | undefined = this.processes.open): void {
    const { duties, watchdog } = this.context;
    const { isStopping } = this.connected;
    this.door?.follow(this.lease, duties, open, {
      isStopping,
      until: watchdog.deadline === undefined ? 0 : this.deadline,
      answers: this.isActive,
    });
  }
}
