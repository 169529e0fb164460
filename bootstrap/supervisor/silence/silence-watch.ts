import { gapSeconds } from "./timing.ts";

/** The holder of the lease on another host, as one statement of this host saw it. */
export type ObservedHolder = {
  readonly eclairInstanceId: string;
  readonly generation: number;
  /** Whether the holder has acknowledged this host as a claimant, under its generation. */
  readonly acknowledged: boolean;
  /** The sessions of the holder's host as one text; undefined while one of them runs a statement. */
  readonly sessions: string | undefined;
};

/** An answered statement of this host. */
export type LeaseObservation = {
  /** When the statement was sent, and when its answer arrived, in seconds on CLOCK_BOOTTIME. */
  readonly sentAt: number;
  readonly answeredAt: number;
  /** Counts the connections of this host. */
  readonly connection: number;
  /** Undefined when no Eclair of another host holds the lease. */
  readonly holder: ObservedHolder | undefined;
};

/** How long the holder of the lease has sent no statement, as a standby sees it in the database. */
export class SilenceWatch {
  private last: LeaseObservation | undefined;
  /** When the sessions were first seen as they are now. */
  private since: number | undefined;

  observe(observation: LeaseObservation): void {
    const { last } = this;
    const isContinued =
      last !== undefined &&
      observation.connection === last.connection &&
      observation.answeredAt - last.answeredAt <= gapSeconds &&
      isSameHolder(observation.holder, last.holder);
    this.since = isContinued && this.since !== undefined ? this.since : observation.answeredAt;
    if (observation.holder?.sessions === undefined) this.since = undefined;
    this.last = observation;
  }

  /** The holder, and the seconds of its silence up to the last statement of this host. */
  get silence(): { readonly holder: ObservedHolder; readonly seconds: number } | undefined {
    const { last, since } = this;
    if (last?.holder === undefined || since === undefined) return undefined;
    return { holder: last.holder, seconds: last.answeredAt - since };
  }

  /** Seconds since this host sent its last answered statement. */
  unansweredSeconds(now: number): number {
    return this.last === undefined ? 0 : now - this.last.sentAt;
  }
}

function isSameHolder(holder: ObservedHolder | undefined, last: ObservedHolder | undefined): boolean {
  return (
    holder !== undefined &&
    last !== undefined &&
    holder.eclairInstanceId === last.eclairInstanceId &&
    holder.generation === last.generation &&
    holder.sessions === last.sessions
  );
}
