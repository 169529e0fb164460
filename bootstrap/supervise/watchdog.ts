import type { Lease } from "./observation.ts";

/** An Eclair is ended that long before its lease can have run out. */
const marginSeconds = 1;

/**
 * How long the Eclair with a way to the database may go on, by this host's CLOCK_BOOTTIME alone: its renewals must be
 * seen in time. What is remembered here is of one Eclair.
 */
export class Watchdog {
  private readonly leaseSeconds: number;
  private openedAt: number | undefined;
  private validUntil: number | undefined;

  constructor(leaseSeconds: number) {
    this.leaseSeconds = leaseSeconds;
  }

  /** Its gate opens: it may take the lease from now on. */
  begin(now: number): void {
    this.openedAt = now;
    this.validUntil = undefined;
  }

  end(): void {
    this.openedAt = undefined;
    this.validUntil = undefined;
  }

  /**
   * Takes in the lease as the database told it.
   * @param askedAt before the database was asked: the lease lasts at least until `askedAt` and what was left of it
   */
  see(lease: Lease, askedAt: number, instanceId: string | undefined): void {
    if (this.openedAt === undefined || !lease.seen || instanceId === undefined) return;
    if (lease.holder === instanceId && lease.remaining > 0) this.validUntil = askedAt + lease.remaining;
  }

  /** It was seen to hold the lease. */
  get held(): boolean {
    return this.validUntil !== undefined;
  }

  /** Seconds for which the lease is known to be its own; zero or less when it is not. */
  left(now: number): number {
    return this.validUntil === undefined ? 0 : this.validUntil - now;
  }

  /** Whether it must be ended now. One that has not been seen to hold the lease may have taken it when its gate opened. */
  isOver(now: number): boolean {
    if (this.openedAt === undefined) return false;
    return now >= (this.validUntil ?? this.openedAt + this.leaseSeconds) - marginSeconds;
  }
}
