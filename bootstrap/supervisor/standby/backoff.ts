import type { LeaseReport } from "../../contract/reports/instance.ts";
import { boottime } from "../../os/clock.ts";
import { leaseOwner } from "../lease/ownership.ts";

const firstBackoffSeconds = 1;
const longestBackoffSeconds = 60;
/** An Eclair that served for this time before it ended resets the backoff. */
const stableSeconds = 10;
const armAgainSeconds = 5;
/** When an Eclair has ended on this host, another host takes over first: this host arms its next Eclair later. */
const yieldSeconds = 3;

/** When this host may start an Eclair again, and when an Eclair may take the lease again. On CLOCK_BOOTTIME. */
export class Backoff {
  private failures = 0;
  private openAgainAt = 0;
  private armAgainAt = 0;
  private yieldUntil = 0;

  /** Seconds until Eclair may take the lease again; zero or less when it may. */
  get remainingSeconds(): number {
    return this.openAgainAt - boottime();
  }

  get mayArmAgain(): boolean {
    return boottime() >= this.armAgainAt;
  }

  /** Whether an Eclair may be armed now, when none is. */
  mayArm(lease: LeaseReport): boolean {
    if (!this.mayArmAgain) return false;
    // No other host has taken the free lease, so this host does not wait any longer.
    const stillFree = leaseOwner(lease, undefined) === "free" && this.remainingSeconds <= 0;
    return stillFree || boottime() >= this.yieldUntil;
  }

  noteArmed(): void {
    this.armAgainAt = boottime() + armAgainSeconds;
  }

  /** The connected Eclair ended for a switchover. */
  noteHandedOver(): void {
    this.yieldUntil = boottime() + yieldSeconds;
  }

  /**
   * The connected Eclair ended by itself.
   * @returns seconds until Eclair may take the lease again
   */
  noteEnded(servedSeconds: number): number {
    this.noteHandedOver();
    this.failures = servedSeconds > stableSeconds ? 1 : this.failures + 1;
    const pause = Math.min(firstBackoffSeconds * 2 ** (this.failures - 1), longestBackoffSeconds);
    this.openAgainAt = boottime() + pause;
    return pause;
  }
}
