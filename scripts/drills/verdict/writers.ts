import { isEclairSession } from "../../../bootstrap/contract/database-sessions.ts";
import type { Commit } from "./postgres-log.ts";

/**
 * Eclair opens its sessions one after another, and the session that takes the lease need not be the first. The log has
 * the start of a session in seconds.
 */
const sessionToleranceMilliseconds = 2_000;

/** A commit by which another Eclair took the lease. */
export type Takeover = {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The IP address of the Eclair's host. */
  readonly address: string;
  readonly eclairInstanceId: string;
  /**
   * What remained of the previous lease by its holder's own last write; negative when the lease had expired or its holder
   * had released it. A release by a supervisor does not count.
   */
  readonly leaseRemainingSeconds?: number;
};

/** The holder of the lease at the start of the log. `validUntil` is in milliseconds since 1970. */
export type LeaseHolder = {
  readonly address: string;
  readonly eclairInstanceId: string;
  readonly validUntil: number;
};

/** A committed write of an Eclair that another Eclair had superseded. */
export type Overlap = {
  readonly at: number;
  readonly address: string;
  readonly tables: readonly string[];
  /** The takeover by the Eclair that held the lease at the time of the write. */
  readonly holder: Takeover;
};

type CurrentHolder = { readonly takeover: Takeover; readonly sessionsSince: number };

/**
 * Finds takeovers and overlaps from the log alone, independently of the fence. A write belongs to the holder of the lease
 * when it comes from the holder's host, in a session that is not older than the holder's. Every other write overlaps,
 * at any time. An Eclair that takes the lease again after another Eclair held it is not a holder: its writes overlap.
 * @param commits in the order of their commit
 */
export function findOverlaps(
  commits: readonly Commit[],
  initialHolder?: LeaseHolder,
): { takeovers: Takeover[]; overlaps: Overlap[] } {
  const overlaps: Overlap[] = [];
  // The start of the initial holder's sessions is unknown. Its host has no session of an earlier Eclair.
  let holder: CurrentHolder | undefined =
    initialHolder === undefined ? undefined : { takeover: { at: 0, ...initialHolder }, sessionsSince: 0 };
  const initial = holder?.takeover;
  const holders = initial === undefined ? [] : [initial];
  let validUntil = initialHolder?.validUntil;
  for (const commit of commits.filter(({ application }) => isEclairSession(application))) {
    const { at, address, lease, sessionStartedAt, tables } = commit;
    const isSuperseded = holders.some(
      (earlier) => earlier !== holder?.takeover && earlier.eclairInstanceId === lease?.eclairInstanceId,
    );
    if (
      lease !== undefined &&
      lease.eclairInstanceId !== holder?.takeover.eclairInstanceId &&
      !isSuperseded
    ) {
      const remaining = validUntil === undefined ? {} : { leaseRemainingSeconds: (validUntil - at) / 1000 };
      const takeover = { at, address, eclairInstanceId: lease.eclairInstanceId, ...remaining };
      holders.push(takeover);
      holder = { takeover, sessionsSince: sessionStartedAt };
    } else if (holder !== undefined && !isOwnWrite(commit, holder))
      overlaps.push({ at, address, tables, holder: holder.takeover });
    if (lease !== undefined) validUntil = at + lease.seconds * 1000;
  }
  return { takeovers: holders.filter((takeover) => takeover !== initial), overlaps };
}

const isOwnWrite = ({ address, sessionStartedAt }: Commit, { takeover, sessionsSince }: CurrentHolder) =>
  address === takeover.address && sessionStartedAt >= sessionsSince - sessionToleranceMilliseconds;
