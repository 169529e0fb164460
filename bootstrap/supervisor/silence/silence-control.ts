import { createHmac } from "node:crypto";
import type { Role } from "../../contract/reports/instance.ts";
import { boottime } from "../../os/clock.ts";
import { logErrors } from "../../os/log-errors.ts";
import { logEvent } from "../../os/log.ts";
import type { LeaseReading, NodeDatabase } from "../lease/node-database.ts";
import { HolderDeadline } from "./holder-deadline.ts";
import { HostLink } from "./host-link.ts";
import { OutgoingPermit } from "./outgoing-permit.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { gapSeconds, promiseSeconds, timingOf, unansweredSeconds, type SilenceTiming } from "./timing.ts";

const registerEverySeconds = 10;
const acknowledgeEverySeconds = 5;

/** What the control works with. A later boot can bring another database. */
export type SilenceContext = {
  readonly database: Pick<NodeDatabase, "readClaimants" | "registerClaimant" | "acknowledgeClaimants">;
  readonly leaseDatabase: Pick<NodeDatabase, "claimLease">;
  readonly instanceId: string;
  /** The key of the messages between the hosts, in hex. */
  readonly hostKey: string;
};

/**
 * Ends the lease of a lost holder without waiting for its expiry. A standby claims the lease after some seconds in which the
 * holder's host sent no statement to the database. A holder that has no answer of the database for a shorter time asks its
 * claimants. Unless each of them has no answer either, or an answer arrives in time, its Eclair is ended before any of them can claim.
 */
export class SilenceControl {
  private readonly timing: SilenceTiming;
  private readonly context: () => SilenceContext;
  private readonly link: HostLink;
  private readonly permit = new OutgoingPermit();
  private readonly watch = new SilenceWatch();
  private readonly holderDeadline: HolderDeadline;
  private promisedUntil = -Infinity;
  private registeredAt = -Infinity;
  private acknowledgedAt = -Infinity;
  private acknowledged = "";
  private isAsking = false;
  /** A claimant has not promised since the last answer of the database. */
  private isUnanswered = false;
  private isPolling = false;

  /** @param address the host's own address */
  constructor(address: string, silenceSeconds: number, context: () => SilenceContext) {
    this.timing = timingOf(silenceSeconds);
    this.context = context;
    this.holderDeadline = new HolderDeadline(this.timing);
    this.link = new HostLink(
      address,
      () => messageKey(this.context().hostKey, silenceSeconds),
      () => this.promise(),
    );
  }

  listen(): void {
    this.link.listen();
  }

  close(): void {
    this.link.close();
    this.permit.close();
  }

  /** Another Eclair of this host is about to be connected to the database, or the last one ended. */
  reset(): void {
    this.holderDeadline.reset();
    this.acknowledged = "";
    this.acknowledgedAt = -Infinity;
  }

  /** Takes over an answer of the database. */
  observe({ observation }: LeaseReading): void {
    if (observation === undefined) return;
    this.isUnanswered = false;
    this.watch.observe(observation);
    this.holderDeadline.noteAnswer(observation.sentAt);
  }

  /** When this host's Eclair must be mute; undefined while no other host may claim its lease. */
  get deadline(): number | undefined {
    return this.holderDeadline.deadline;
  }

  /** How long the holder of the lease on another host has been silent. */
  get silentSeconds(): number {
    return this.watch.silence?.seconds ?? 0;
  }

  /** Permits the Eclair of this host to send packets to its peers for the next 1.7 s. */
  permitOutgoing(): void {
    this.permit.renew();
  }

  /** Asks the claimants when the database has not answered for some time. Never waits. */
  askIfDue(now: number): void {
    this.holderDeadline.noteTime(now);
    if (this.isAsking) return;
    const claimants = this.holderDeadline.claimantsToAsk(now);
    if (claimants === undefined) return;
    this.isAsking = true;
    void this.link
      .askAll(claimants)
      .then((haveAllPromised) => {
        if (haveAllPromised) return this.holderDeadline.notePromises(now);
        // An answer of the database, or promises, before the deadline still prevent the end of Eclair.
        this.holderDeadline.noteMissingPromise();
        if (!this.isUnanswered) logEvent("lease.unanswered", { claimants }, "warn");
        this.isUnanswered = true;
      })
      .finally(() => {
        this.isAsking = false;
      });
  }

  /** Claims the lease when its holder is silent. @param isReady whether this host can take over at once */
  async claimIfDue(isReady: boolean): Promise<void> {
    const { silence } = this.watch;
    const now = boottime();
    if (!isReady || silence === undefined || silence.seconds < this.timing.claimSeconds) return;
    if (now < this.promisedUntil || this.watch.unansweredSeconds(now) > gapSeconds) return;
    const { eclairInstanceId, generation, acknowledged, sessions } = silence.holder;
    if (!acknowledged || sessions === undefined) return;
    await logErrors("claim-lease", async () => {
      const { leaseDatabase } = this.context();
      if (await leaseDatabase.claimLease(eclairInstanceId, generation, sessions))
        logEvent("lease.claimed", { eclairInstanceId, silentSeconds: silence.seconds });
    });
  }

  /** Registers a standby as a claimant, and acknowledges the claimants of a holder. The caller does not wait. */
  async poll(role: Role, holder: string | undefined): Promise<void> {
    if (this.isPolling) return;
    this.isPolling = true;
    try {
      await this.registerOrAcknowledge(role, holder);
    } finally {
      this.isPolling = false;
    }
  }

  private async registerOrAcknowledge(role: Role, holder: string | undefined): Promise<void> {
    if (role === "standby" && boottime() - this.registeredAt > registerEverySeconds)
      await logErrors("register-claimant", async () => {
        const { database, instanceId } = this.context();
        await database.registerClaimant(instanceId);
        this.registeredAt = boottime();
      });
    if (role === "active" && holder !== undefined)
      await logErrors("acknowledge-claimants", () => this.acknowledge(holder));
  }

  /** Only a host that this host can ask may claim the lease. */
  private async acknowledge(holder: string): Promise<void> {
    const { database } = this.context();
    const reachable = await this.link.findReachable(await database.readClaimants());
    const isDue = boottime() - this.acknowledgedAt > acknowledgeEverySeconds;
    if (reachable.join() === this.acknowledged && !isDue) return;
    this.holderDeadline.noteAcknowledging(reachable);
    await database.acknowledgeClaimants(holder, reachable);
    this.holderDeadline.noteAcknowledged(reachable);
    this.acknowledged = reachable.join();
    this.acknowledgedAt = boottime();
  }

  /** Promises not to claim, when this host has no answer of the database either. */
  private promise(): boolean {
    const now = boottime();
    if (this.watch.unansweredSeconds(now) < unansweredSeconds) return false;
    if (now >= this.promisedUntil) logEvent("lease.promised");
    this.promisedUntil = now + promiseSeconds;
    return true;
  }
}

/**
 * A claim is safe only when both hosts have the same times: hosts with different values ignore each other's messages.
 * @param hostKey in hex
 */
const messageKey = (hostKey: string, silenceSeconds: number): Buffer =>
  createHmac("sha256", Buffer.from(hostKey, "hex")).update(`silence ${silenceSeconds}`).digest();
