import { askAgainSeconds, promiseValidSeconds, type SilenceTiming } from "./timing.ts";

/**
 * Until when this host's Eclair may send anything, while other hosts may claim its lease. The time runs from the sending of the
 * last answered statement, or of the last question that every claimant answered with a promise. All times in seconds on
 * CLOCK_BOOTTIME.
 */
export class HolderDeadline {
  private readonly timing: SilenceTiming;
  /** The addresses of the claimants that this holder has acknowledged, and has not revoked with certainty. */
  private claimants: ReadonlySet<string> = new Set();
  private answeredSentAt: number | undefined;
  private promisedUntil = -Infinity;
  private askedAt = -Infinity;
  /** The deadline that has passed. Until the next `reset`, the Eclair of this host must send nothing. */
  private expiredAt: number | undefined;

  constructor(timing: SilenceTiming) {
    this.timing = timing;
  }

  /** Another Eclair of this host is connected to the database, or none. */
  reset(): void {
    this.claimants = new Set();
    this.answeredSentAt = undefined;
    this.promisedUntil = -Infinity;
    this.expiredAt = undefined;
  }

  /** @param sentAt when the statement was sent */
  noteAnswer(sentAt: number): void {
    this.answeredSentAt = Math.max(this.answeredSentAt ?? -Infinity, sentAt);
  }

  /** Before the acknowledgement is sent: from now on, these hosts may claim. */
  noteAcknowledging(addresses: readonly string[]): void {
    this.claimants = new Set([...this.claimants, ...addresses]);
  }

  /** After the database has confirmed the acknowledgement: no other host may claim. */
  noteAcknowledged(addresses: readonly string[]): void {
    this.claimants = new Set(addresses);
  }

  /** When this host must be mute; undefined while no other host may claim its lease. */
  get deadline(): number | undefined {
    if (this.expiredAt !== undefined) return this.expiredAt;
    if (this.claimants.size === 0 || this.answeredSentAt === undefined) return undefined;
    return Math.max(this.answeredSentAt + this.timing.muteSeconds, this.promisedUntil);
  }

  /** Fixes a deadline that has passed: until the next `reset`, later answers and promises do not extend it. */
  noteTime(now: number): void {
    const { deadline } = this;
    if (deadline !== undefined && now >= deadline) this.expiredAt = deadline;
  }

  /** The claimants that must be asked now; undefined when none must. */
  claimantsToAsk(now: number): readonly string[] | undefined {
    const { answeredSentAt, claimants } = this;
    if (claimants.size === 0 || answeredSentAt === undefined || this.expiredAt !== undefined)
      return undefined;
    if (now - answeredSentAt < this.timing.askSeconds || now - this.askedAt < askAgainSeconds)
      return undefined;
    this.askedAt = now;
    return [...claimants];
  }

  /** Every claimant has promised. @param askedAt when the question was sent */
  notePromises(askedAt: number): void {
    this.promisedUntil = Math.max(this.promisedUntil, askedAt + promiseValidSeconds);
  }

  /** A claimant has not promised, or its reply was lost: the next question is sent at once. */
  noteMissingPromise(): void {
    this.askedAt = -Infinity;
  }
}
