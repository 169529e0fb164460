/**
 * The times of a claim, in seconds on CLOCK_BOOTTIME. A holder is mute before any instance claims its lease:
 * - A claim needs `silenceSeconds` without a statement of the holder. The holder counts from the sending of its last answered
 *   statement, so from an earlier time, and for half a second less.
 * - A claimant does not claim for `promiseSeconds` after its promise. The holder counts from the sending of its question, so from
 *   an earlier time, and for a tenth less.
 */
export type SilenceTiming = {
  /** The holder asks its claimants after this time without an answer of the database. */
  readonly askSeconds: number;
  /** The holder is mute after this time without an answer and without promises. */
  readonly muteSeconds: number;
  /** A claimant claims after this time without a statement of the holder. */
  readonly claimSeconds: number;
};

export const timingOf = (silenceSeconds: number): SilenceTiming => ({
  askSeconds: silenceSeconds / 2,
  muteSeconds: silenceSeconds - 0.5,
  claimSeconds: silenceSeconds,
});

export const promiseSeconds = 2;
/** For how long a holder relies on a promise, from the sending of its question. */
export const promiseValidSeconds = 1.9;
export const askAgainSeconds = 1;
/** A claimant that does not reply within this time has not promised. */
export const replySeconds = 0.3;
/** A claimant whose last answered statement is younger than this has an answer of the database, and does not promise. */
export const unansweredSeconds = 1;
/** After a longer gap between its own statements, a claimant counts from the beginning: it could have missed a statement. */
export const gapSeconds = 0.25;
