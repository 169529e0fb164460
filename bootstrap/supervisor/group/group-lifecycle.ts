import type { GroupMembership } from "../../aws/auto-scaling.ts";
import { hookNames, type HookName } from "../../contract/lifecycle-hooks.ts";
import { boottime } from "../../os/clock.ts";
import { ChangeLog, logEvent } from "../../os/log.ts";
import { retrySeconds, takeoverSeconds } from "../takeover-times.ts";

/** A call that failed, for example without the permission, is repeated after this time. */
const protectAgainSeconds = 60;
const launchHeartbeatSeconds = 60;
/** The next Eclair of this host serves within this time after the last one ended. */
const restartSeconds = 120;
/** After this time without the database, the instance leaves: a restored database has another endpoint, which needs another instance. */
const unreadableSeconds = 1_800;
/** A group ignores the report during its grace period, so the instance repeats it. */
const unhealthyEverySeconds = 300;

/** The health of this host for its Auto Scaling group. */
export type HostHealth = {
  /** The boot has ended, the supervisor runs, and bitcoind answers. */
  readonly healthy: boolean;
  /** Seconds since the local bitcoind answered last, or Eclair could use a bitcoind last. */
  readonly brokenForSeconds: number;
};

/** What a termination by the group would mean for the node. */
export type Departure = {
  /** Whether an Eclair of this host is connected to the database. */
  readonly isActive: boolean;
  /** Whether an Eclair of this host took the lease last; undefined while the database cannot be read. */
  readonly isLastHolder: boolean | undefined;
  /** Whether another instance can take over now. */
  readonly hasReadyStandby: boolean;
  /** Stops this host's Eclair, so that another host takes over. */
  readonly handOver: () => Promise<void>;
  /** Starts no Eclair any more. */
  readonly standDown: () => Promise<void>;
  /** Leaves the target groups and closes the connections of the peers, so that the peers connect to another host. */
  readonly disconnectPeers: () => Promise<void>;
};

type Group = Pick<GroupMembership, "complete" | "heartbeat" | "heartbeatSeconds" | "unhealthy" | "protect">;

/**
 * The duties of an instance in its Auto Scaling group. The instance completes its launching hook when it is healthy, hands the node
 * over and disconnects its peers before it completes its terminating hook, and reports when the group should replace it. A passive
 * instance is healthy.
 */
export class GroupLifecycle {
  private readonly group: Group;
  private readonly readTargetState: () => Promise<string | undefined>;
  private readonly unhealthyAfterSeconds: number;
  private inService = false;
  private leftGroup = false;
  private isStoodDown = false;
  private hasDisconnectedPeers = false;
  private isWaitingForStandby = false;
  /**
   * When the Eclair of this host served last, on CLOCK_BOOTTIME; undefined when the node does not need this host. An earlier supervisor
   * of this host may have run the active Eclair.
   */
  private neededAt: number | undefined = boottime();
  private unreadableSince: number | undefined;
  private handedOverAt = -Infinity;
  /** Unknown at first: an earlier supervisor of this instance may have protected it. */
  private isProtected: boolean | undefined;
  private protectAt = -Infinity;
  private reportedUnhealthyAt = -Infinity;
  private heartbeatAt = -Infinity;
  private polling = false;
  private readonly log = new ChangeLog("auto-scaling.failed");

  /** @param readTargetState the target lifecycle state, from the metadata service */
  constructor(
    group: Group,
    readTargetState: () => Promise<string | undefined>,
    unhealthyAfterSeconds: number,
  ) {
    this.group = group;
    this.readTargetState = readTargetState;
    this.unhealthyAfterSeconds = unhealthyAfterSeconds;
  }

  async poll(health: HostHealth, departure: Departure): Promise<void> {
    if (this.polling || this.leftGroup) return;
    this.polling = true;
    try {
      const target = await this.readTargetState();
      this.observe(departure);
      if (target === "Terminated") await this.leave(departure);
      else if (target !== undefined) await this.stay(health, departure);
      this.log.reset();
    } catch (error) {
      this.log.logError(error);
    } finally {
      this.polling = false;
    }
  }

  /** Why this host leaves a free lease to another host for now. */
  get holdBackReason(): string | undefined {
    return boottime() - this.handedOverAt < takeoverSeconds
      ? "another instance takes over: the Auto Scaling group terminates this instance"
      : undefined;
  }

  /** Notes when the node needed this host last. */
  private observe({ isActive, isLastHolder }: Departure): void {
    const now = boottime();
    this.unreadableSince = isLastHolder === undefined ? (this.unreadableSince ?? now) : undefined;
    // Without the database, no other instance can take over.
    const mayServeLater =
      this.unreadableSince !== undefined && this.isNeeded && now - this.unreadableSince < unreadableSeconds;
    if (isActive || mayServeLater) this.neededAt = now;
    else if (isLastHolder === true) this.neededAt ??= now;
    else this.neededAt = undefined;
  }

  /** Whether the node would be away without this host: its Eclair serves, or may serve again soon. */
  private get isNeeded(): boolean {
    return this.neededAt !== undefined && boottime() - this.neededAt < restartSeconds;
  }

  private async stay(
    { healthy, brokenForSeconds }: HostHealth,
    { isActive, isLastHolder }: Departure,
  ): Promise<void> {
    const due = boottime() - this.reportedUnhealthyAt >= unhealthyEverySeconds;
    if (brokenForSeconds > this.unhealthyAfterSeconds && due) {
      await this.group.unhealthy();
      this.reportedUnhealthyAt = boottime();
      logEvent("auto-scaling.unhealthy", { brokenForSeconds: Math.round(brokenForSeconds) }, "warn");
    }
    if (this.inService) {
      // Without the database, the protection stays as it is.
      if (isActive || isLastHolder !== undefined) await this.protect(this.isNeeded);
      return;
    }
    if (!healthy) return await this.heartbeat(hookNames.launching, launchHeartbeatSeconds);
    this.inService = await this.complete(hookNames.launching);
  }

  /** The group may terminate the active instance only when it is unhealthy, or when an operator requests it. */
  private async protect(isNeeded: boolean): Promise<void> {
    if (this.isProtected === isNeeded || boottime() - this.protectAt < protectAgainSeconds) return;
    this.protectAt = boottime();
    await this.group.protect(isNeeded);
    this.isProtected = isNeeded;
    this.protectAt = -Infinity;
  }

  /**
   * Hands the node over when another instance can take over, and leaves when another instance has done so. Otherwise the node would be
   * unavailable until another bitcoind has synchronised, so the group waits: AWS permits 100 heartbeats, or 48 hours.
   */
  private async leave(departure: Departure): Promise<void> {
    if (this.isNeeded && !this.isStoodDown) return await this.giveAway(departure);
    if (!this.isStoodDown) {
      logEvent("auto-scaling.leaving");
      // The hook may be close to its timeout, and the drain takes minutes.
      await this.group.heartbeat(hookNames.terminating);
      await departure.standDown();
      this.isStoodDown = true;
    }
    if (!this.hasDisconnectedPeers) await departure.disconnectPeers();
    this.hasDisconnectedPeers = true;
    this.leftGroup = await this.complete(hookNames.terminating);
  }

  /** Waits for a standby, and hands the node over to it. The standby may have failed since its last report: a later poll tries again. */
  private async giveAway({ isActive, hasReadyStandby, handOver }: Departure): Promise<void> {
    if (!hasReadyStandby && !this.isWaitingForStandby) {
      logEvent("auto-scaling.waiting-for-standby", {}, "warn");
      this.isWaitingForStandby = true;
    }
    await this.heartbeat(hookNames.terminating, await this.group.heartbeatSeconds(hookNames.terminating));
    if (!isActive || !hasReadyStandby || boottime() - this.handedOverAt < retrySeconds) return;
    logEvent("auto-scaling.hands-over");
    this.handedOverAt = boottime();
    await handOver();
  }

  /** @returns whether nothing is left to do for a hook */
  private async complete(hook: HookName): Promise<boolean> {
    const state = await this.group.complete(hook);
    if (state === "completed") logEvent("auto-scaling.hook-completed", { hook });
    return state !== "not-yet";
  }

  private async heartbeat(hook: HookName, everySeconds: number): Promise<void> {
    if (boottime() - this.heartbeatAt < everySeconds) return;
    await this.group.heartbeat(hook);
    this.heartbeatAt = boottime();
  }
}
