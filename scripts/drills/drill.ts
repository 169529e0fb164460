import type { DrillRun } from "./run.ts";

/** The prefix of the drills that inject a fault into a pair without eclair-ami, to compare with the drill without it. */
export const baselinePrefix = "baseline-";

/** A fault, and how a pair is expected to react to it. */
export type Drill = {
  readonly name: string;
  /** Describes the fault to a reader who knows no other drill. */
  readonly title: string;
  /** The takeover time has a target, so the drill runs more often. */
  readonly timed?: boolean;
  /** The pair runs without eclair-ami, so its lost and overlapping writes do not make the run fail. */
  readonly isBaseline?: boolean;
  /** The drill needs a peer with a channel, which the stand-in Eclair cannot have. */
  readonly needsPeer?: boolean;
  /** The pair uses two remote bitcoinds before its local ones. */
  readonly usesRemotes?: boolean;
  /** The takeover time ends when either host serves, including the host that was active. */
  readonly eitherHostMayServe?: boolean;
  /** No handshake may fail before a door has held it for four seconds. */
  readonly keepsConnections?: boolean;
  /** The standby claims the lease of a silent host, and does not wait for the end of the lease. */
  readonly claimsLease?: boolean;
  /** The drill checks the harness: the run fails unless overlapping writes are found. */
  readonly expectsOverlap?: boolean;
  /** The cleanup disturbs the node: it makes another host active, or ends one. Nothing is measured from the cleanup on. */
  readonly measuredUntilCleanup?: boolean;
  /** Runs before the fault, while the pair is already observed; may change which host is active. */
  readonly prepare?: (run: DrillRun) => Promise<void>;
  /** Injects the fault and waits for the reaction. @throws DrillFailure when the pair does not react as expected */
  readonly execute: (run: DrillRun) => Promise<void>;
  /** Removes the fault, also after a failure. */
  readonly cleanUp?: (run: DrillRun) => Promise<void>;
};
