import { boottime } from "./clock.ts";
import type { Lease } from "./observation.ts";

const firstBackOffSeconds = 1;
const longestBackOffSeconds = 60;
/** An Eclair that served for so long before it ended does not flap. */
const steadySeconds = 10;
const armAgainSeconds = 5;
/** When an Eclair has ended here another host takes over first: what this one has to do for the next can wait. */
const yieldSeconds = 3;

/** When this host may start an Eclair, and take the lease, again. On CLOCK_BOOTTIME. */
export class Pauses {
  private failures = 0;
  private openAgainAt = 0;
  private armAgainAt = 0;
  private yieldUntil = 0;

  /** Seconds until Eclair may take the lease again; zero or less when it may. */
  get backOff(): number {
    return this.openAgainAt - boottime();
  }

  get mayArmAgain(): boolean {
    return boottime() >= this.armAgainAt;
  }

  /** Whether one may be armed by now when there is none. */
  mayArm(lease: Lease): boolean {
    if (!this.mayArmAgain) return false;
    // A lease that nobody has taken by now is waited for no longer.
    const nobodys = lease.seen && lease.remaining <= 0 && this.backOff <= 0;
    return nobodys || boottime() >= this.yieldUntil;
  }

  /** One is started. */
  armed(): void {
    this.armAgainAt = boottime() + armAgainSeconds;
  }

  /** The Eclair that had a way to the database has ended, for a switchover. */
  handed(): void {
    this.yieldUntil = boottime() + yieldSeconds;
  }

  /**
   * It has ended by itself.
   * @param served for so many seconds
   * @returns seconds until Eclair may take the lease again
   */
  ended(served: number): number {
    this.handed();
    this.failures = served > steadySeconds ? 1 : this.failures + 1;
    const pause = Math.min(firstBackOffSeconds * 2 ** (this.failures - 1), longestBackOffSeconds);
    this.openAgainAt = boottime() + pause;
    return pause;
  }
}
