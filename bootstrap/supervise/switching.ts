import { messageOf } from "../failure.ts";
import { logLine } from "../log.ts";
import { isLive, type Switchover } from "../record/switchover.ts";
import type { ClusterTable } from "../record/table.ts";
import { boottime } from "./clock.ts";

/** Every instance has read an accepted switchover by then, and holds back. */
const noticedAfterSeconds = 1.5;
/** The one that is to take over has so long, from the moment when the other accepted. */
const patienceSeconds = 15;

/** What this host has to do for a switchover that an operator asked for. */
export class Switching {
  private readonly table: ClusterTable;
  private readonly instanceId: string;
  private request: Switchover | undefined;
  private acceptedAt: number | undefined;
  private looking = false;
  private failing = false;

  constructor(table: ClusterTable, instanceId: string) {
    this.table = table;
    this.instanceId = instanceId;
  }

  /**
   * Reads what is asked, and takes it a step further where that is this host's to do.
   * @param stop lets this host's Eclair end
   */
  async look(active: boolean, since: Date, stop: () => Promise<void>): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      this.request = await this.table.switchover();
      await this.go(active, since, stop);
      this.failing = false;
    } catch (error) {
      if (!this.failing) logLine("switchover", { failed: messageOf(error) });
      this.failing = true;
    } finally {
      this.looking = false;
    }
  }

  /** Why this host leaves a free lease to another one for now. */
  get holdBack(): string | undefined {
    const { request } = this;
    if (request === undefined || request.to === this.instanceId || !isLive(request, new Date()))
      return undefined;
    if (request.step !== "accepted" && request.step !== "stopping") return undefined;
    if (this.acceptedAt !== undefined && boottime() - this.acceptedAt > patienceSeconds) return undefined;
    return `${request.to} is to take over: a switchover that ${request.by} asked for`;
  }

  private async go(active: boolean, since: Date, stop: () => Promise<void>): Promise<void> {
    const { request } = this;
    if (request === undefined || !isLive(request, new Date())) {
      this.acceptedAt = undefined;
      return;
    }
    const from = request.from === this.instanceId;
    if (request.step === "asked" && from && active) {
      if (await this.step({ ...request, step: "accepted" })) this.acceptedAt = boottime();
      return;
    }
    const noticed = this.acceptedAt !== undefined && boottime() - this.acceptedAt >= noticedAfterSeconds;
    if (request.step === "accepted" && from && active && noticed) {
      const stoppedAt = new Date().toISOString();
      await stop();
      await this.step({ ...request, step: "stopping", stoppedAt });
      return;
    }
    if (request.step !== "stopping" || !active) return;
    if (request.to === this.instanceId)
      await this.step({ ...request, step: "serving", servingAt: since.toISOString() });
    else if (from && since.getTime() > Date.parse(request.stoppedAt ?? ""))
      await this.step({ ...request, step: "back", servingAt: since.toISOString() });
  }

  private async step(after: Switchover): Promise<boolean> {
    const { request } = this;
    if (request === undefined || !(await this.table.stepSwitchover(request, after))) return false;
    logLine("switchover", { ...after });
    this.request = after;
    return true;
  }
}
