import { setTimeout as sleep } from "node:timers/promises";
import { deregisterTargets } from "../aws/target-groups.ts";
import type { BitcoindReport } from "../contract/reports/bitcoind.ts";
import type { EclairReport, InstanceReport, LeaseReport, Role } from "../contract/reports/instance.ts";
import { BitcoindControl } from "./chain/bitcoind-control.ts";
import { ChainHandover } from "./chain/handover.ts";
import { EclairProcesses } from "../eclair/processes.ts";
import type { Slot } from "../eclair/slot.ts";
import { boottime } from "../os/clock.ts";
import { logErrors } from "../os/log-errors.ts";
import { logEvent } from "../os/log.ts";
import { notify } from "../os/notify.ts";
import type { NodeContext } from "./context/node-context.ts";
import { decide, type Decision } from "./decide.ts";
import { EclairPoller } from "./eclair-poller.ts";
import type { HostHealth } from "./group/group-lifecycle.ts";
import { buildReport } from "./health/report.ts";
import { leaseOwner } from "./lease/ownership.ts";
import { LeaseReleaser } from "./lease/lease-releaser.ts";
import { DoorControl } from "./door/door-control.ts";
import { ContextReloader } from "./reload/context-reloader.ts";
import { ArmingFailures } from "./standby/arming-failures.ts";
import { Backoff } from "./standby/backoff.ts";
import { SilenceControl } from "./silence/silence-control.ts";
import { Standby } from "./standby/standby.ts";

/** A supervisor that has not followed the lease, or not polled, for this time hangs. */
const followWithinSeconds = 15;
const pollWithinSeconds = 60;
/** In these roles, a boot does not affect the node. */
const passiveRoles: readonly Role[] = ["standby", "waiting"];
/** The time from Eclair's start to its gate, on a slow machine. */
const armsWithinSeconds = 60;
/** A connected Eclair that has not answered for this time never will. Its start takes seconds. */
const silentLimitSeconds = 600;
/** A migration of a large database takes hours, and Eclair answers only after it. */
const migrationLimitSeconds = 6 * 3600;
/** A load balancer sends no new connections to a target some seconds after its deregistration. */
const deregistrationMilliseconds = 5_000;
/** When the holder has been silent for this time, an Eclair is armed in any case. */
const armAtSilentSeconds = 1;
/** Eclair takes five seconds to stop, and ten when a connection hangs. */
const stopWithinSeconds = 30;

/**
 * Runs Eclair on this host whenever the host may run it. Three loops run side by side: `followLease` reads the lease and
 * acts, `poll` reads everything that takes longer, and `enforceWatchdog` waits for nothing and kills an Eclair whose lease
 * could expire.
 */
export class Supervisor {
  private readonly reloader = new ContextReloader();
  private readonly backoff = new Backoff();
  private readonly processes: EclairProcesses;
  private readonly poller: EclairPoller;
  private readonly standby: Standby;
  private readonly armingFailures = new ArmingFailures();
  private readonly silence: SilenceControl;
  /** Undefined with `door: off`. */
  private readonly door: DoorControl | undefined;
  private readonly bitcoinds = new BitcoindControl(() => this.observeChain());
  private readonly chainHandover = new ChainHandover();
  private readonly leaseReleaser = new LeaseReleaser(() => this.context.leaseDatabase);
  private lease: LeaseReport = { known: false, reason: "not read yet" };
  private decision: Decision = {
    role: "waiting",
    action: "none",
    ready: false,
    reasons: ["the supervisor is starting"],
  };
  private roleSince = new Date();
  private roleChangedAt = boottime();
  private followedLeaseAt = boottime();
  private polledAt = boottime();
  private describedHolder: string | undefined;
  /** Why this host starts no Eclair any more. */
  private stopReason: string | undefined;
  private handingOver = false;

  constructor() {
    this.processes = new EclairProcesses(this.context.endpoint, (slot) => this.onEclairEnded(slot));
    this.poller = new EclairPoller(this.reloader, this.processes);
    this.standby = new Standby(this.reloader, this.processes, this.backoff);
    const { configuration, identity } = this.context.node;
    this.silence = new SilenceControl(identity.privateIp, configuration.failover.silenceSeconds, () => ({
      database: this.context.database,
      leaseDatabase: this.context.leaseDatabase,
      instanceId: this.context.node.identity.instanceId,
      hostKey: this.context.secrets.hostKey,
    }));
    this.door = configuration.door === "on" ? new DoorControl(identity.privateIp) : undefined;
  }

  /** Whether Eclair runs on this host, answers, and holds the lease. */
  private get isActive(): boolean {
    return this.decision.role === "active" && this.context.watchdog.secondsLeft(boottime()) > 0;
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
    this.bitcoinds.start();
    this.followBitcoinds();
    this.door?.start();
  }

  /** Reads the lease, decides, and acts. */
  async followLease(): Promise<void> {
    this.processes.detectExits();
    if (this.stopReason === undefined)
      await this.standby.reload(this.decision.role, boottime() - this.roleChangedAt);
    const readAt = boottime();
    const reading = await this.context.leaseDatabase.readLease();
    this.lease = reading.report;
    this.context.watchdog.observe(this.lease, readAt, this.processes.open?.eclairInstanceId);
    this.silence.observe(reading);
    await this.silence.claimIfDue(this.isReadyStandby);
    await this.leaseReleaser.retry();
    this.applyDecision(await this.decideWithGuard());
    await this.act();
    this.routeDoor();
    this.followedLeaseAt = boottime();
    if (this.poller.info === undefined) void this.poller.poll();
  }

  /** Polls bitcoind, systemd and Eclair, keeps the armed Eclair current, and reports this instance's state. */
  async poll(): Promise<void> {
    this.reloader.closeRetired();
    await logErrors("reload", () => this.standby.pollReload(() => this.isPassive));
    this.followBitcoinds();
    await Promise.all([
      // When systemd does not answer, the last state remains.
      logErrors("poll-units", () => this.processes.poll()),
      this.poller.poll(),
    ]);
    // In any case: a gate that hangs sends no status.
    this.observeChain();
    this.context.chainDisk?.poll();
    if (this.processes.armed !== undefined) this.armingFailures.noteArmed();
    await this.standby.killUnwanted();
    if (this.decision.role === "standby") {
      const { startGuard } = this.context;
      if (startGuard.isDue) await startGuard.check();
      const { lease, bitcoind: polled, isHolderSilent } = this;
      await this.standby.keepFresh({ lease, bitcoind: polled, isHolderSilent });
    }
    const { open } = this.processes;
    void this.silence.poll(this.decision.role, open?.eclairInstanceId);
    if (this.decision.role === "active" && open?.eclairInstanceId !== undefined) {
      this.context.recordMirror.poll(open.eclairInstanceId);
      await this.describeHolder(open.eclairInstanceId);
    }
    this.context.budget.poll({
      bitcoind: this.bitcoind,
      active: this.isActive ? this.poller.info : undefined,
      isOtherActive:
        this.context.duties.isOtherActive ||
        leaseOwner(this.lease, this.processes.open?.eclairInstanceId) === "other",
    });
    this.context.duties.poll(this.report(), this.hostHealth(), {
      handOver: () => this.handOver(),
      standDown: (reason) => this.standDown(reason),
      disconnectPeers: () => this.disconnectPeers(),
      isPassive: () => this.isPassive,
      isActive: () => this.processes.open !== undefined,
      secretVersions: () => (this.reloader.next ?? this.context).node.secretVersions,
      isHolderFine: () => !this.isHolderSilent && leaseOwner(this.lease, undefined) === "other",
    });
    this.polledAt = boottime();
  }

  private get bitcoind(): BitcoindReport {
    return this.bitcoinds.report;
  }

  /** @param open the Eclair of this host whose gate is open, or is about to open */
  private followBitcoinds(open: Slot | undefined = this.processes.open): void {
    const { duties } = this.context;
    // Eclair checks the wallet before it reaches its gate. An Eclair that is connected keeps the bitcoinds of its context: another
    // login would be another bitcoind, to which the locks of outputs do not follow.
    const { node, secrets } = (open === undefined ? this.reloader.next : undefined) ?? this.context;
    this.bitcoinds.follow({
      configuration: node.configuration,
      secrets,
      openEclair: open?.eclairInstanceId,
      ...{ nextAddresses: duties.nextAddresses, settledBlock: duties.settledBlock },
    });
  }

  /** Follows the state of this host's chain, and moves the node to a host with a better one. */
  private observeChain(): void {
    const { chainHealth, duties } = this.context;
    const { bitcoind, bitcoinds } = this;
    const observed = { bitcoind, answeredAt: bitcoinds.answeredAt, others: duties.otherBitcoinds };
    chainHealth.observe(observed, Date.now(), boottime());
    this.chainHandover.observe(chainHealth.fault, this.bitcoind.known && chainHealth.problems.length === 0);
    if (this.decision.role !== "active") return;
    void logErrors("chain-handover", () =>
      this.chainHandover.handOverIfDue(
        () => duties.readOthers(),
        () => this.handOver(),
      ),
    );
  }

  /** When the Eclair that is connected to the database must be mute, on CLOCK_BOOTTIME. */
  private get deadline(): number {
    return Math.min(this.context.watchdog.deadline ?? Infinity, this.silence.deadline ?? Infinity);
  }

  /** Whether this host may claim the lease soon. */
  private get isHolderSilent(): boolean {
    return this.silence.silentSeconds > armAtSilentSeconds;
  }

  private get isReadyStandby(): boolean {
    const { role, ready } = this.decision;
    return role === "standby" && ready && this.processes.armed !== undefined;
  }

  /** Whether both loops run; systemd kills a supervisor whose loops hang. */
  get isLive(): boolean {
    const now = boottime();
    return now - this.followedLeaseAt < followWithinSeconds && now - this.polledAt < pollWithinSeconds;
  }

  /** Kills an Eclair whose lease could expire. The function is synchronous, so nothing delays it. */
  enforceWatchdog(): void {
    const { open } = this.processes;
    const now = boottime();
    this.silence.askIfDue(now);
    // Promises of the claimants extend the deadline.
    this.routeDoor();
    const mustEnd = now >= this.deadline || this.context.watchdog.isOverdue;
    if (open === undefined || (open.gate.isOpen && !mustEnd)) this.silence.permitOutgoing();
    if (open === undefined || !open.gate.isOpen || !mustEnd) return;
    logEvent("eclair.killed", { pid: open.pid, eclairInstanceId: open.eclairInstanceId }, "warn");
    void logErrors("kill", () => open.kill());
  }

  report(): InstanceReport {
    return buildReport(this.context, {
      decision: this.decision,
      roleSince: this.roleSince,
      isLive: this.isLive,
      isActive: this.isActive,
      bitcoind: this.bitcoind,
      bitcoinds: this.bitcoinds.summaries,
      lease: this.lease,
      eclair: this.eclairReport(),
      door: this.door,
      boot: this.reloader.boot,
    });
  }

  /** Who may read the report and the metrics, in addition to this host. */
  get scrapers(): string[] {
    return this.context.node.configuration.health.scrapers;
  }

  summary(): string {
    return [this.decision.role, ...this.decision.reasons].join("; ");
  }

  /** Stops Eclair, because systemd stops this supervisor. */
  async shutDown(): Promise<void> {
    this.stopReason ??= "the supervisor is stopping";
    await notify("--stopping");
    await this.standDown(this.stopReason);
  }

  /** The peers behind this host's door connect to another host, because the load balancer no longer leads them here. */
  private async disconnectPeers(): Promise<void> {
    const { configuration, identity, aws } = this.context.node;
    await deregisterTargets(configuration.targetGroupArns, identity.instanceId, aws);
    if (this.door === undefined) return;
    await sleep(deregistrationMilliseconds);
    await this.door.closeConnections();
  }

  /** Starts no Eclair any more, and stops the running Eclair, whose gate stays open until it has ended. */
  private async standDown(reason: string): Promise<void> {
    this.stopReason = reason;
    this.applyDecision(this.decide());
    this.routeDoor();
    const end = boottime() + stopWithinSeconds;
    await logErrors("stop", async () => this.processes.open?.stop());
    while (this.processes.slots.some(({ unit }) => unit !== "stopped") && boottime() < end) {
      // An Eclair may have started in the meantime.
      for (const slot of this.processes.slots)
        if (slot.armed || slot.arming) await logErrors("stop", () => slot.kill());
      await sleep(50);
    }
  }

  async close(): Promise<void> {
    this.door?.stop();
    this.bitcoinds.stop();
    this.silence.close();
    await this.context.recordMirror.settle();
    await this.context.duties.reportFinal(this.report());
    await this.context.close();
  }

  /** Whether this host can boot again without an effect on the node. */
  private get isPassive(): boolean {
    const { role } = this.decision;
    if (this.stopReason !== undefined) return false;
    if (passiveRoles.includes(role)) return true;
    // An Eclair that does not reach its gate may need the changed secret or configuration.
    const { open, armed } = this.processes;
    const none = open === undefined && armed === undefined;
    return role === "starting" && none && boottime() - this.roleChangedAt > armsWithinSeconds;
  }

  private decide(): Decision {
    if (this.stopReason !== undefined)
      return { role: "stopping", action: "none", ready: false, reasons: [this.stopReason] };
    const { node, startGuard, watchdog, recordMirror, duties, chainHealth } = this.context;
    const { superseded } = recordMirror;
    const { refused } = startGuard;
    const holdBackReason = duties.holdBackReason ?? this.chainHandover.holdBackReason;
    const recoveryProblem = this.chainHandover.recoveryProblem(node.configuration.failover.bitcoind);
    const { unexpectedKeys } = this.poller;
    const { problem: armingProblem } = this.armingFailures;
    return decide(
      { bitcoind: this.bitcoind, lease: this.lease, eclair: this.eclairReport() },
      {
        chain: node.configuration.chain,
        sawLeaseHeld: watchdog.sawLeaseHeld,
        backoffSeconds: this.backoff.remainingSeconds,
        armAtRemainingSeconds: this.isHolderSilent ? Infinity : this.standby.armAtRemainingSeconds,
        chainProblems: [chainHealth.problems, recoveryProblem ?? [], duties.snapshotReason ?? []].flat(),
        silentSeconds: this.poller.silentSeconds,
        silentLimitSeconds: startGuard.migratesSchemas ? migrationLimitSeconds : silentLimitSeconds,
        ...(armingProblem !== undefined && { armingProblem }),
        ...(unexpectedKeys !== undefined && { unexpectedKeys }),
        ...(superseded !== undefined && { superseded }),
        ...(refused !== undefined && { startRefusal: refused }),
        ...(holdBackReason !== undefined && { holdBackReason }),
      },
    );
  }

  /** The health of this host for its Auto Scaling group. Another instance would not repair a remote bitcoind. */
  private hostHealth(): HostHealth {
    const isLocal = this.context.node.configuration.bitcoind.local !== undefined;
    return {
      healthy: this.bitcoind.known,
      brokenForSeconds: isLocal ? this.context.chainHealth.unansweredSeconds : 0,
    };
  }

  private eclairReport(): EclairReport {
    const { open, armed, arming } = this.processes;
    const { info } = this.poller;
    const notArmed = arming === undefined ? "no" : "starting";
    return {
      state: open?.unit ?? "stopped",
      pid: open?.pid ?? 0,
      ...(open?.eclairInstanceId !== undefined && { eclairInstanceId: open.eclairInstanceId }),
      ...(open !== undefined && info !== undefined && { info }),
      armed: armed === undefined ? notArmed : "yes",
      armBeforeExpiry: this.standby.armBeforeExpiry,
    };
  }

  /** Decides. Before an Eclair starts, and before its gate opens, the guard checks the record and the database. */
  private async decideWithGuard(): Promise<Decision> {
    const { startGuard } = this.context;
    if (startGuard.refused !== undefined && startGuard.isDue) await startGuard.check();
    const decision = this.decide();
    if (decision.action === "arm" && !this.backoff.mayArm(this.lease)) return { ...decision, action: "none" };
    if (decision.action !== "arm" && decision.action !== "open") return decision;
    const started = performance.now();
    await startGuard.check();
    const durationMs = Math.round(performance.now() - started);
    if (startGuard.refused !== undefined) return this.decide();
    const { recordMs, databaseMs } = startGuard.durations;
    logEvent("guard.checked", { before: decision.action, durationMs, recordMs, databaseMs });
    return decision;
  }

  private applyDecision(decision: Decision): void {
    if (decision.role !== this.decision.role) {
      this.roleSince = new Date();
      this.roleChangedAt = boottime();
      logEvent("role.changed", {
        role: decision.role,
        previousRole: this.decision.role,
        reasons: decision.reasons,
      });
    }
    this.decision = decision;
  }

  private async act(): Promise<void> {
    const { action } = this.decision;
    if (action === "arm") await logErrors("arm", () => this.standby.arm(this.bitcoind));
    if (action === "open") await logErrors("open", () => this.openGate());
    if (action === "kill") await logErrors("kill", async () => this.processes.open?.kill());
  }

  /** Stops Eclair, so that another host takes over. */
  private async handOver(): Promise<void> {
    this.handingOver = true;
    // New connections are held from now on.
    this.routeDoor();
    try {
      await this.processes.open?.stop();
    } catch (error) {
      this.handingOver = false;
      throw error;
    }
  }

  private async openGate(): Promise<void> {
    await this.context.database.terminateSupersededSessions();
    const { armed } = this.processes;
    // An Eclair that was armed just now, with the files of a later boot, waits until these files are in use.
    if (armed?.eclairInstanceId === undefined || armed.armInputs?.rendered !== this.context.renderedId)
      return;
    const { eclairInstanceId } = armed;
    this.leaseReleaser.remember(eclairInstanceId);
    this.context.recordMirror.reset();
    this.context.watchdog.start(boottime());
    this.silence.reset();
    this.followBitcoinds(armed);
    // The door tries this Eclair until it listens.
    this.routeDoor(armed);
    await this.processes.openGate(armed);
    this.poller.expectAnswers();
    logEvent("eclair.gate-opened", { slot: armed.name, eclairInstanceId });
  }

  private onEclairEnded(slot: Slot): void {
    const { pid, armed } = slot;
    if (slot.failsToArm)
      void logErrors("read-log", async () => this.armingFailures.note(await slot.readLog()));
    const eclairInstanceId = slot.markEnded();
    if (eclairInstanceId === undefined)
      return armed ? logEvent("eclair.disarmed", { slot: slot.name, pid }) : undefined;
    this.context.watchdog.stop();
    this.silence.reset();
    this.poller.reset();
    if (this.handingOver) {
      this.handingOver = false;
      this.backoff.noteHandedOver();
      logEvent("eclair.ended", { pid, eclairInstanceId, cause: "switchover" });
    } else {
      const servedSeconds = this.decision.role === "active" ? boottime() - this.roleChangedAt : 0;
      const backoffSeconds = this.backoff.noteEnded(servedSeconds);
      logEvent("eclair.ended", { pid, eclairInstanceId, backoffSeconds }, "warn");
    }
    this.routeDoor();
    this.leaseReleaser.release(eclairInstanceId);
  }

  /**
   * Sends the location of the active Eclair to the door.
   * @param open the Eclair of this host whose gate is open, or is about to open
   */
  private routeDoor(open: Slot | undefined = this.processes.open): void {
    const { duties, watchdog } = this.context;
    const isStopping = this.handingOver || this.stopReason !== undefined;
    this.door?.follow(this.lease, duties, open, {
      isStopping,
      until: watchdog.deadline === undefined ? 0 : this.deadline,
      answers: this.isActive,
    });
  }

  /** Stores this instance's id with the holder of the lease, and the fence on tables that Eclair has created. */
  private async describeHolder(eclairInstanceId: string): Promise<void> {
    if (this.describedHolder === eclairInstanceId) return;
    await logErrors("describe-holder", async () => {
      const { database, node } = this.context;
      await database.describeHolder(eclairInstanceId, node.identity);
      await database.fenceTables();
      this.describedHolder = eclairInstanceId;
    });
  }
}
