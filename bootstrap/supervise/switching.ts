import { ChangeLog, logLine } from "../log.ts";
import { isLive, type Switchover } from "../record/switchover.ts";
import type { ClusterTable } from "../record/table.ts";
import { boottime } from "./clock.ts";
import type { InstanceState } from "./state.ts";

/** Every instance has read an accepted switchover by then, and holds back. */
const noticedAfterSeconds = 1.5;
/** The one that is to take over has so long, from the moment when this host knew that the other accepted. */
const patienceSeconds = 15;
/** What this host has known for so long is over, whatever the clocks of operator and host say. */
const heededSeconds = 120;

/** What an accepted switchover goes through until it is over. */
const underWay: readonly Switchover["step"][] = ["accepted", "stopping", "released"];

/** How this host stands, as far as a switchover asks for it. */
export type SwitchingState = Readonly<Pick<InstanceState, "active" | "since" | "lease">>;

/** What this host remembers of a switchover beside the table, on CLOCK_BOOTTIME. */
type Known = {
  readonly id: string;
  readonly seenAt: number;
  /** When this host first knew that it goes on. */
  acceptedAt?: number;
  /** When this host asked its Eclair to end, in ISO 8601, and who held the lease then. */
  stopped?: { readonly at: string; readonly holder: string | undefined };
};

/** What this host has to do for a switchover that an operator asked for. */
export class Switching {
  private readonly table: Pick<ClusterTable, "switchover" | "stepSwitchover">;
  private readonly instanceId: string;
  private request: Switchover | undefined;
  private known: Known | undefined;
  private looking = false;
  private readonly trouble = new ChangeLog("switchover");

  constructor(table: Pick<ClusterTable, "switchover" | "stepSwitchover">, instanceId: string) {
    this.table = table;
    this.instanceId = instanceId;
  }

  /**
   * Reads what is asked, and takes it a step further where that is this host's to do.
   * @param stop lets this host's Eclair end
   */
  async look(state: SwitchingState, stop: () => Promise<void>): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      this.see(await this.table.switchover());
      await this.go(state, stop);
      this.trouble.clear();
    } catch (error) {
      this.trouble.fail(error);
    } finally {
      this.looking = false;
    }
  }

  /** Why this host leaves a free lease to another one for now. */
  get holdBack(): string | undefined {
    const { request, known } = this;
    if (request === undefined || request.to === this.instanceId || !this.isUnderWay) return undefined;
    if (boottime() - (known?.acceptedAt ?? -Infinity) > patienceSeconds) return undefined;
    return `${request.to} is to take over: a switchover that ${request.by} asked for`;
  }

  get isUnderWay(): boolean {
    return this.request !== undefined && underWay.includes(this.request.step) && this.isHeeded;
  }

  private get isHeeded(): boolean {
    const { request, known } = this;
    if (request === undefined || known === undefined) return false;
    return isLive(request, new Date()) && boottime() - known.seenAt < heededSeconds;
  }

  private see(request: Switchover | undefined): void {
    this.request = request;
    if (request === undefined) return;
    if (request.id !== this.known?.id) this.known = { id: request.id, seenAt: boottime() };
    if (request.step !== "asked") this.known.acceptedAt ??= boottime();
  }

  private async go({ active, since, lease }: SwitchingState, stop: () => Promise<void>): Promise<void> {
    const { request, known } = this;
    if (request === undefined || known === undefined || !this.isHeeded) return;
    const from = request.from === this.instanceId;
    if (request.step === "asked" && from && active) {
      await this.step({ ...request, step: "accepted" });
      return;
    }
    if (request.step === "accepted" && from) {
      if (known.stopped === undefined) {
        const noticed = boottime() - (known.acceptedAt ?? Infinity) >= noticedAfterSeconds;
        if (!active || !noticed) return;
        const at = new Date().toISOString();
        await stop();
        known.stopped = { at, holder: holderOf(lease) };
      }
      // Again until the table has it: the other one can't say that it serves before.
      await this.step({ ...request, step: "stopping", stoppedAt: known.stopped.at });
      return;
    }
    if (request.step !== "stopping" && request.step !== "released") return;
    if (active && request.to === this.instanceId)
      await this.step({ ...request, step: "serving", servingAt: since });
    else if (active && from && Date.parse(since) > Date.parse(request.stoppedAt ?? ""))
      await this.step({ ...request, step: "back", servingAt: since });
    else if (
      request.step === "stopping" &&
      known.stopped !== undefined &&
      isReleased(lease, known.stopped.holder)
    )
      await this.step({ ...request, step: "released" });
  }

  private async step(after: Switchover): Promise<void> {
    const { request } = this;
    if (request === undefined || !(await this.table.stepSwitchover(request, after))) return;
    logLine("switchover", { ...after });
    this.see(after);
  }
}

const holderOf = (lease: SwitchingState["lease"]): string | undefined =>
  lease.seen ? lease.holder : undefined;

const isReleased = (lease: SwitchingState["lease"], holder: string | undefined): boolean =>
  lease.seen && (lease.remaining <= 0 || (holder !== undefined && lease.holder !== holder));
