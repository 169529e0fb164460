import type { AcknowledgedWrite, Payment, Probe } from "../load/events.ts";
import type { BitcoindChange } from "../results.ts";
import type { LeaseHolder, Overlap, Takeover } from "./writers.ts";

type Host = { readonly instanceId: string; readonly address: string; readonly zone: string };

/** Everything that was observed in one run; every time in milliseconds since 1970. */
export type Observations = {
  readonly faultAt: number;
  /** Later observations do not count. */
  readonly endedAt: number;
  /** The hosts by their role at the start of the run. */
  readonly hosts: Readonly<Record<"active" | "standby", Host>>;
  readonly probes: readonly Probe[];
  readonly acknowledged: readonly AcknowledgedWrite[];
  readonly change?: BitcoindChange;
  /** Absent without a peer. */
  readonly payments?: readonly Payment[];
  readonly initialHolder: LeaseHolder;
  readonly takeovers: readonly Takeover[];
  readonly overlaps: readonly Overlap[];
  readonly lostPaymentHashes: readonly string[];
  /** Why the pair did not react as the drill expects. */
  readonly problems: readonly string[];
  readonly expectsOverlap: boolean;
  readonly isBaseline: boolean;
  readonly eitherHostMayServe: boolean;
  readonly keepsConnections: boolean;
  readonly claimsLease: boolean;
};
