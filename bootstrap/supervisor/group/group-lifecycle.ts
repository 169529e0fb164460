import type { GroupMembership } from "../../aws/auto-scaling.ts";
import { hookNames, type HookName } from "../../contract/lifecycle-hooks.ts";
import { boottime } from "../../os/clock.ts";
import { ChangeLog, logEvent } from "../../os/log.ts";

const heartbeatEverySeconds = 60;
/** A group ignores the report during its grace period, so the instance repeats it. */
const unhealthyEverySeconds = 300;

/** The health of this host for its Auto Scaling group. */
export type HostHealth = {
  /** The boot has ended, the supervisor runs, and bitcoind answers. */
  readonly healthy: boolean;
  /** How long a local service of this host has not answered; zero while every local service answers. */
  readonly brokenForSeconds: number;
};

type Group = Pick<GroupMembership, "complete" | "heartbeat" | "unhealthy">;

/**
 * The duties of an instance in its Auto Scaling group. The instance completes its launching hook when it is healthy, stops
 * Eclair before it completes its terminating hook, and reports when the group should replace it. A passive instance is
 * healthy.
 */
export class GroupLifecycle {
  private readonly group: Group;
  private readonly readTargetState: () => Promise<string | undefined>;
  private readonly unhealthyAfterSeconds: number;
  private inService = false;
  private leftGroup = false;
  private isStoodDown = false;
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

  /** @param standDown stops this host's Eclair, and starts none any more */
  async poll(health: HostHealth, standDown: () => Promise<void>): Promise<void> {
    if (this.polling || this.leftGroup) return;
    this.polling = true;
    try {
      const target = await this.readTargetState();
      if (target === "Terminated") await this.leave(standDown);
      else if (target !== undefined) await this.stay(health);
      this.log.reset();
    } catch (error) {
      this.log.logError(error);
    } finally {
      this.polling = false;
    }
  }

  private async stay({ healthy, brokenForSeconds }: HostHealth): Promise<void> {
    const due = boottime() - this.reportedUnhealthyAt >= unhealthyEverySeconds;
    if (brokenForSeconds > this.unhealthyAfterSeconds && due) {
      await this.group.unhealthy();
      this.reportedUnhealthyAt = boottime();
      logEvent("auto-scaling.unhealthy", { brokenForSeconds: Math.round(brokenForSeconds) }, "warn");
    }
    if (this.inService) return;
    if (!healthy) return await this.heartbeat();
    this.inService = await this.complete(hookNames.launching);
  }

  private async leave(standDown: () => Promise<void>): Promise<void> {
    if (!this.isStoodDown) {
      logEvent("auto-scaling.leaving");
      await standDown();
      this.isStoodDown = true;
    }
    this.leftGroup = await this.complete(hookNames.terminating);
  }

  /** @returns whether nothing is left to do for a hook */
  private async complete(hook: HookName): Promise<boolean> {
    const state = await this.group.complete(hook);
    if (state === "completed") logEvent("auto-scaling.hook-completed", { hook });
    return state !== "not-yet";
  }

  private async heartbeat(): Promise<void> {
    if (boottime() - this.heartbeatAt < heartbeatEverySeconds) return;
    this.heartbeatAt = boottime();
    await this.group.heartbeat(hookNames.launching);
  }
}
