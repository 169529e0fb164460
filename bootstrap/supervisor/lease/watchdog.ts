import type { LeaseReport } from "../../contract/reports/instance.ts";
import { leaseOwner } from "./ownership.ts";

/** An Eclair is killed this long before its lease can expire. */
const marginSeconds = 1;
/** An Eclair that has missed so many renewals hangs. */
const missedRenewals = 3;
/** The database's clock and this host's clock differ by less than this between two reads. */
const renewalStepSeconds = 0.5;
const answerGapSeconds = 1;

type LeaseTimes = { readonly leaseSeconds: number; readonly leaseRenewalSeconds: number };

/**
 * How long the connected Eclair may run, by this host's CLOCK_BOOTTIME only: the supervisor must see its renewals in time.
 * The state belongs to one Eclair.
 */
export class Watchdog {
  private readonly leaseSeconds: number;
  private readonly overdueSeconds: number;
  private openedAt: number | undefined;
  private validUntil: number | undefined;
  /** The seconds since the last renewal in which the database answered this host. */
  private answeredSeconds = 0;
  private readAt: number | undefined;

  constructor({ leaseSeconds, leaseRenewalSeconds }: LeaseTimes) {
    this.leaseSeconds = leaseSeconds;
    this.overdueSeconds = missedRenewals * leaseRenewalSeconds - marginSeconds;
  }

  /** The gate opens: Eclair can take the lease from now on. */
  start(now: number): void {
    this.stop();
    this.openedAt = now;
  }

  stop(): void {
    this.openedAt = undefined;
    this.validUntil = undefined;
    this.answeredSeconds = 0;
    this.readAt = undefined;
  }

  /**
   * Takes over a lease that was read from the database.
   * @param readAt the time before the read: the lease is valid at least until `readAt` plus its remaining seconds
   */
  observe(lease: LeaseReport, readAt: number, eclairInstanceId: string | undefined): void {
    if (this.openedAt === undefined || !lease.known) return;
    if (leaseOwner(lease, eclairInstanceId) !== "ours") return;
    const validUntil = readAt + lease.remainingSeconds;
    const isRenewed = this.validUntil === undefined || validUntil > this.validUntil + renewalStepSeconds;
    const sinceLastRead = readAt - (this.readAt ?? readAt);
    // A longer gap is a database that did not answer, in which no Eclair can renew its lease.
    if (isRenewed) this.answeredSeconds = 0;
    else if (sinceLastRead < answerGapSeconds) this.answeredSeconds += sinceLastRead;
    this.validUntil = validUntil;
    this.readAt = readAt;
  }

  /** Whether this Eclair was seen to hold the lease. */
  get sawLeaseHeld(): boolean {
    return this.validUntil !== undefined;
  }

  /** Seconds for which the lease is known to be this Eclair's; zero or less when it is not. */
  secondsLeft(now: number): number {
    return this.validUntil === undefined ? 0 : this.validUntil - now;
  }

  /** When Eclair must be killed. An Eclair that was not seen with the lease may have taken it at the start. */
  get deadline(): number | undefined {
    if (this.openedAt === undefined) return undefined;
    return (this.validUntil ?? this.openedAt + this.leaseSeconds) - marginSeconds;
  }

  /**
   * Why Eclair must be killed now: its lease could expire, or it has missed renewals although the database answers, so it hangs.
   * @returns undefined while Eclair may run
   */
  endCause(now: number): "lease" | "renewals" | undefined {
    if (this.deadline !== undefined && now >= this.deadline) return "lease";
    return this.openedAt !== undefined && this.answeredSeconds > this.overdueSeconds ? "renewals" : undefined;
  }
}
