import type { RequestItem } from "../../contract/record/request-item.ts";
import type { InstanceReport, LeaseReport } from "../../contract/reports/instance.ts";
import { isUnexpired, type Switchover } from "../../contract/requests/switchover.ts";
import { boottime } from "../../os/clock.ts";
import { ChangeLog, logEvent } from "../../os/log.ts";
import { isLastHolder, leaseOwner } from "../lease/ownership.ts";
import { takeoverSeconds } from "../takeover-times.ts";

/** After this time every instance has read an accepted switchover, and holds back. */
const propagationSeconds = 1.5;
/** This host ignores a switchover that it has known for longer, whatever the clocks of operator and host. */
const lifetimeSeconds = 120;

const stepsUnderWay: readonly Switchover["step"][] = ["accepted", "stopping", "released"];

/** The state of this host that a switchover needs. */
export type ParticipantState = Readonly<Pick<InstanceReport, "active" | "roleSince" | "lease">>;

type Requests = Pick<RequestItem<Switchover>, "read" | "advance">;

/** What this host knows about a switchover in addition to the table, on CLOCK_BOOTTIME. */
type Known = {
  readonly id: string;
  readonly seenAt: number;
  /** When this host first knew that the switchover was accepted. */
  acceptedAt?: number;
  /** When this host asked its Eclair to stop, in ISO 8601, and the holder of the lease at that time. */
  stopped?: { readonly at: string; readonly holderEclairInstanceId: string | undefined };
};

/** The role of this host in a switchover. */
export class SwitchoverParticipant {
  private readonly requests: Requests;
  private readonly instanceId: string;
  private request: Switchover | undefined;
  private known: Known | undefined;
  private polling = false;
  private readonly log = new ChangeLog("switchover.failed");

  constructor(requests: Requests, instanceId: string) {
    this.requests = requests;
    this.instanceId = instanceId;
  }

  /**
   * Reads the request, and advances it when this host performs the next step.
   * @param stop stops this host's Eclair
   */
  async poll(state: ParticipantState, stop: () => Promise<void>): Promise<void> {
    if (this.polling) return;
    this.polling = true;
    try {
      this.remember(await this.requests.read());
      await this.act(state, stop);
      this.log.reset();
    } catch (error) {
      this.log.logError(error);
    } finally {
      this.polling = false;
    }
  }

  /** Why this host leaves a free lease to another host for now. */
  get holdBackReason(): string | undefined {
    const { request, known } = this;
    if (request === undefined || request.toInstanceId === this.instanceId || !this.isUnderWay)
      return undefined;
    if (boottime() - (known?.acceptedAt ?? -Infinity) > takeoverSeconds) return undefined;
    return `${request.toInstanceId} takes over: ${request.requestedBy} requested a switchover`;
  }

  get isUnderWay(): boolean {
    return this.request !== undefined && stepsUnderWay.includes(this.request.step) && this.isCurrent;
  }

  private get isCurrent(): boolean {
    const { request, known } = this;
    if (request === undefined || known === undefined) return false;
    return isUnexpired(request, new Date()) && boottime() - known.seenAt < lifetimeSeconds;
  }

  private remember(request: Switchover | undefined): void {
    this.request = request;
    if (request === undefined) return;
    if (request.id !== this.known?.id) this.known = { id: request.id, seenAt: boottime() };
    if (request.step !== "requested") this.known.acceptedAt ??= boottime();
  }

  private async act(state: ParticipantState, stop: () => Promise<void>): Promise<void> {
    const { request, known } = this;
    if (request === undefined || known === undefined || !this.isCurrent) return;
    const isFrom = request.fromInstanceId === this.instanceId;
    if (request.step === "requested" && isFrom && state.active)
      return await this.advance({ ...request, step: "accepted" });
    if (request.step === "accepted" && isFrom) return await this.stopEclair(request, known, state, stop);
    if (request.step === "stopping" || request.step === "released") await this.finish(request, known, state);
  }

  private async stopEclair(
    request: Switchover,
    known: Known,
    { active, lease }: ParticipantState,
    stop: () => Promise<void>,
  ): Promise<void> {
    if (known.stopped === undefined) {
      const propagated = boottime() - (known.acceptedAt ?? Infinity) >= propagationSeconds;
      if (!active || !propagated) return;
      const at = new Date().toISOString();
      await stop();
      known.stopped = { at, holderEclairInstanceId: lease.known ? lease.holderEclairInstanceId : undefined };
    }
    // Repeated until the table has the step: the target cannot report that it serves before.
    await this.advance({ ...request, step: "stopping", stoppedAt: known.stopped.at });
  }

  private async finish(
    request: Switchover,
    known: Known,
    { active, roleSince, lease }: ParticipantState,
  ): Promise<void> {
    const isFrom = request.fromInstanceId === this.instanceId;
    if (active && request.toInstanceId === this.instanceId)
      await this.advance({ ...request, step: "serving", servingAt: roleSince });
    else if (active && isFrom && Date.parse(roleSince) > Date.parse(request.stoppedAt ?? ""))
      await this.advance({ ...request, step: "reverted", servingAt: roleSince });
    else if (
      request.step === "stopping" &&
      known.stopped !== undefined &&
      isReleased(lease, known.stopped.holderEclairInstanceId)
    )
      await this.advance({ ...request, step: "released" });
  }

  private async advance(after: Switchover): Promise<void> {
    const { request } = this;
    if (request === undefined || !(await this.requests.advance(request, after))) return;
    logEvent("switchover.advanced", { ...after });
    this.remember(after);
  }
}

/** Whether the lease is free, or another Eclair than the previous holder took it. */
function isReleased(lease: LeaseReport, previousHolder: string | undefined): boolean {
  const owner = leaseOwner(lease, previousHolder);
  return (
    owner === "free" ||
    (owner === "other" && previousHolder !== undefined && !isLastHolder(lease, previousHolder))
  );
}
