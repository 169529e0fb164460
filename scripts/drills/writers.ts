import { eclairSessions } from "../../bootstrap/database/url.ts";
import type { Commit } from "./postgres-log.ts";

/**
 * An Eclair opens its sessions one after another, and the one that takes the lease need not be its first; when a session
 * began is known to the second.
 */
const sessionSlackMilliseconds = 2_000;

/** A commit by which the lease came to another Eclair. */
export type Takeover = {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly host: string;
  readonly instance: string;
  /**
   * What was left of the lease before, in seconds, by its holder's own last word: less than zero when it had run out or
   * was released by itself. That a supervisor has released a dead one's does not count.
   */
  readonly leaseLeft?: number;
};

/** Who held the lease when the log began, and until when, in milliseconds since 1970. */
export type Holder = { readonly host: string; readonly instance: string; readonly until: number };

/** A committed write of an Eclair that another one had superseded. */
export type Overlap = {
  readonly at: number;
  readonly host: string;
  readonly tables: readonly string[];
  /** The Eclair that held the lease by then. */
  readonly after: Takeover;
};

/**
 * Finds who wrote when, from the log alone: it knows nothing of the fence. A write belongs to the lease's holder when it
 * comes from the holder's host in a session that is not older than the holder's own; any other one overlaps, at
 * whatever time it comes. An Eclair that takes the lease again after another one had it is none of its holders.
 * @param commits in the order in which they were committed
 * @param before who held the lease before them
 */
export function writersIn(
  commits: readonly Commit[],
  before?: Holder,
): { takeovers: Takeover[]; overlaps: Overlap[] } {
  const overlaps: Overlap[] = [];
  // When its sessions began is not known, and none of an earlier Eclair on its host is left.
  let holder: { readonly takeover: Takeover; readonly since: number } | undefined =
    before === undefined ? undefined : { takeover: { at: 0, ...before }, since: 0 };
  const first = holder?.takeover;
  const all = first === undefined ? [] : [first];
  let until = before?.until;
  for (const commit of commits.filter(({ application }) => application === eclairSessions)) {
    const { at, host, lease, since, tables } = commit;
    const superseded = all.some((one) => one !== holder?.takeover && one.instance === lease?.instance);
    if (lease !== undefined && lease.instance !== holder?.takeover.instance && !superseded) {
      const left = until === undefined ? {} : { leaseLeft: (until - at) / 1000 };
      const takeover = { at, host, instance: lease.instance, ...left };
      all.push(takeover);
      holder = { takeover, since };
    } else if (holder !== undefined) {
      const own = host === holder.takeover.host && since >= holder.since - sessionSlackMilliseconds;
      if (!own) overlaps.push({ at, host, tables, after: holder.takeover });
    }
    if (lease !== undefined) until = at + lease.seconds * 1000;
  }
  return { takeovers: all.filter((one) => one !== first), overlaps };
}
