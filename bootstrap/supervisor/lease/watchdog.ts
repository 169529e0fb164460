import type { LeaseReport } from "../../contract/reports/instance.ts";
import { leaseOwner } from "./ownership.ts";

/** An Eclair is killed this long before its lease can expire. */
const marginSeconds = 1;

/**
 * How long the connected Eclair may run, by this host's CLOCK_BOOTTIME only: the supervisor must see its renewals in time.
 * The state belongs to one Eclair.
 */
export class Watchdog {
  private readonly leaseSeconds: number;
  private openedAt: number | undefined;
  private validUntil: number | undefined;

  constructor(leaseSeconds: number) {
    this.leaseSeconds = leaseSeconds;
  }

  /** The gate opens: Eclair can take the lease from now on. */
  start(now: number): void {
    this.openedAt = now;
    this.validUntil = undefined;
  }

  stop(): void {
    this.openedAt = undefined;
    this.validUntil = undefined;
  }

  /**
   * Takes over a lease that was read from the database.
   * @param readAt the time before the read: the lease is valid at least until `readAt` plus its remaining seconds
   */
  observe(lease: LeaseReport, readAt: number, eclairInstanceId: string | undefined): void {
    if (this.openedAt === undefined || !lease.known) return;
    if (leaseOwner(lease, eclairInstanceId) === "ours") this.validUntil = readAt + lease.remainingSeconds;
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

  /** Whether Eclair must be killed now. */
  isExpired(now: number): boolean {
    return this.deadline !== undefined && now >= this.deadline;
  }
}
