import { hookNames, type HookName, type Membership } from "../aws/auto-scaling.ts";
import { ChangeLog, logLine } from "../log.ts";
import { boottime } from "./clock.ts";

const heartbeatEverySeconds = 60;
/** What a group has not heeded, such as within its grace period, is said again. */
const unhealthyEverySeconds = 300;

/** What an instance tells its Auto Scaling group of itself. */
export type Standing = {
  /** Boot and supervisor are done with what they do once, and bitcoind answers. */
  readonly healthy: boolean;
  /** Something on this host alone has been broken for so long, in seconds; zero when nothing is. */
  readonly brokenFor: number;
};

/**
 * An instance's part in its Auto Scaling group: it completes its launching hook when it is healthy, stands down before
 * it completes its terminating hook, and tells when it should be replaced. Being passive is none of these.
 */
export class Lifecycle {
  private readonly group: Pick<Membership, "complete" | "heartbeat" | "unhealthy">;
  private readonly target: () => Promise<string | undefined>;
  private readonly unhealthyAfterSeconds: number;
  private inService = false;
  private left = false;
  private stoodDown = false;
  private toldUnhealthyAt = -Infinity;
  private beatAt = -Infinity;
  private looking = false;
  private readonly trouble = new ChangeLog("auto-scaling");

  /** @param target where the group moves the instance to, by the metadata service */
  constructor(
    group: Pick<Membership, "complete" | "heartbeat" | "unhealthy">,
    target: () => Promise<string | undefined>,
    unhealthyAfterSeconds: number,
  ) {
    this.group = group;
    this.target = target;
    this.unhealthyAfterSeconds = unhealthyAfterSeconds;
  }

  /**
   * Looks where the group moves the instance to, and does what is due.
   * @param standDown lets this host's Eclair end, and starts none any more
   */
  async look(standing: Standing, standDown: () => Promise<void>): Promise<void> {
    if (this.looking || this.left) return;
    this.looking = true;
    try {
      const target = await this.target();
      if (target === "Terminated") await this.leave(standDown);
      else if (target !== undefined) await this.stay(standing);
      this.trouble.clear();
    } catch (error) {
      this.trouble.fail(error);
    } finally {
      this.looking = false;
    }
  }

  private async stay({ healthy, brokenFor }: Standing): Promise<void> {
    const due = boottime() - this.toldUnhealthyAt >= unhealthyEverySeconds;
    if (brokenFor > this.unhealthyAfterSeconds && due) {
      await this.group.unhealthy();
      this.toldUnhealthyAt = boottime();
      logLine("auto-scaling", { told: "unhealthy", brokenForSeconds: Math.round(brokenFor) });
    }
    if (this.inService) return;
    if (!healthy) return await this.beat();
    this.inService = await this.complete(hookNames.launching);
  }

  private async leave(standDown: () => Promise<void>): Promise<void> {
    if (!this.stoodDown) {
      logLine("auto-scaling", { leaving: true });
      await standDown();
      this.stoodDown = true;
    }
    this.left = await this.complete(hookNames.terminating);
  }

  /** Whether nothing is left to be done for a hook. */
  private async complete(hook: HookName): Promise<boolean> {
    const state = await this.group.complete(hook);
    if (state === "completed") logLine("auto-scaling", { completed: hook });
    return state !== "not yet";
  }

  private async beat(): Promise<void> {
    if (boottime() - this.beatAt < heartbeatEverySeconds) return;
    this.beatAt = boottime();
    await this.group.heartbeat(hookNames.launching);
  }
}
