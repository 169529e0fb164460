import type { Acknowledged, Connections, Payment, Probe } from "./found.ts";
import type { Holder, Overlap, Takeover } from "./writers.ts";
import type { Run } from "./results.ts";

/** Probes come every 50 ms and are given up after a second. */
const probeGapMilliseconds = 200;

/** Everything that was seen of one run. */
export type Seen = {
  readonly struckAt: number;
  /** What came later is not measured. */
  readonly endedAt: number;
  /** Instance ids and addresses of the hosts as they were before. */
  readonly places: Readonly<Record<"active" | "standby", { readonly id: string; readonly address: string }>>;
  readonly probes: readonly Probe[];
  readonly acknowledged: readonly Acknowledged[];
  readonly connections: readonly Connections[];
  /** What the peer paid, where there is one. */
  readonly payments?: readonly Payment[];
  /** Who held the lease when it began. */
  readonly before: Holder;
  readonly takeovers: readonly Takeover[];
  readonly overlaps: readonly Overlap[];
  readonly lost: readonly string[];
  /** Why it went astray. */
  readonly astray: readonly string[];
  readonly mustOverlap: boolean;
  readonly plain: boolean;
  readonly eitherMayServe: boolean;
};

export function judge(drill: string, run: number, seen: Seen): Run {
  const { struckAt, endedAt, places, overlaps, lost } = seen;
  const since = (at: number) => Math.round(at - struckAt);
  const probes = seen.probes.filter(({ at }) => at <= endedAt);
  const takeovers = seen.takeovers.filter(({ at }) => at <= endedAt);
  const after = takeovers.filter(({ at }) => at > struckAt);
  const hosts = seen.eitherMayServe ? [places.active.id, places.standby.id] : [places.standby.id];
  // What was asked just before the fault may have been answered.
  const soonest = struckAt + (seen.eitherMayServe ? probeGapMilliseconds : 0);
  const other = probes.find(({ at, place, answered }) => answered && at > soonest && hosts.includes(place));
  const balancer = probes.filter(({ place }) => place === "balancer");
  // Nothing tells a load balancer where a plain Eclair is active.
  const outage = seen.plain ? undefined : longestSilence(balancer, struckAt, endedAt);
  const [first] = after;
  return {
    drill,
    run,
    at: new Date(struckAt).toISOString(),
    ...verdict(seen),
    ...(other !== undefined && { otherServes: since(other.at) }),
    ...(outage !== undefined && { outage }),
    ...(first?.leaseLeft !== undefined && { leaseLeft: first.leaseLeft }),
    takeovers: after.length,
    acknowledged: seen.acknowledged.length,
    ...(seen.payments !== undefined && {
      payments: seen.payments.filter(({ paymentHash }) => paymentHash !== undefined).length,
    }),
    lost: lost.length,
    overlaps: overlaps.length,
    staleConnections: staleConnections(seen, after),
    timeline: {
      answers: {
        active: spans(probes, places.active.id, since),
        standby: spans(probes, places.standby.id, since),
        balancer: spans(probes, "balancer", since),
      },
      holders: [{ at: soonestOf(probes, struckAt), host: seen.before.host }, ...takeovers].map(
        ({ at, host }) => ({ at: since(at), place: placeOf(seen, host) }),
      ),
      end: since(endedAt),
    },
  };
}

function verdict({ astray, lost, overlaps, mustOverlap, plain }: Seen): Pick<Run, "verdict" | "reasons"> {
  const reasons = [...astray];
  if (!plain && lost.length > 0)
    reasons.push(`${lost.length} acknowledged writes are lost: ${lost.join(", ")}`);
  if (mustOverlap && overlaps.length === 0) reasons.push("the harness found no overlap where there is one");
  const [first] = overlaps;
  if (!mustOverlap && !plain && first !== undefined)
    reasons.push(
      `${overlaps.length} writes of a superseded Eclair, the first from ${first.host} to ${first.tables.join(", ")}`,
    );
  return { verdict: reasons.length === 0 ? "passed" : "failed", reasons };
}

/** The longest time after the fault in which nobody answered there, where it is longer than between two probes. */
function longestSilence(probes: readonly Probe[], struckAt: number, endedAt: number): number | undefined {
  const good = probes.filter(({ answered }) => answered).map(({ at }) => at);
  const marks = [...good.filter((at) => at > struckAt - probeGapMilliseconds), endedAt].toSorted(
    (a, b) => a - b,
  );
  const gaps = marks.slice(1).map((at, index) => at - (marks[index] ?? at));
  const longest = Math.max(0, ...gaps);
  return longest > probeGapMilliseconds ? Math.round(longest) : undefined;
}

function spans(probes: readonly Probe[], place: string, since: (at: number) => number) {
  const found: { from: number; to: number }[] = [];
  for (const { at } of probes
    .filter((probe) => probe.place === place && probe.answered)
    .toSorted((a, b) => a.at - b.at)) {
    const last = found.at(-1);
    if (last !== undefined && since(at) - last.to <= probeGapMilliseconds) last.to = since(at);
    else found.push({ from: since(at), to: since(at) });
  }
  return found;
}

/** When the watch began. */
const soonestOf = (probes: readonly Probe[], struckAt: number): number =>
  Math.min(struckAt, ...probes.map(({ at }) => at));

function placeOf({ places }: Seen, host: string): string {
  if (host === places.active.address) return "active";
  return host === places.standby.address ? "standby" : "another";
}

/**
 * Until the host becomes active again, if it does. Counts go up one by one; HAProxy that has started anew counts from
 * nothing.
 */
function staleConnections(seen: Seen, [takeover, ...later]: readonly Takeover[]): number {
  if (takeover === undefined || placeOf(seen, takeover.host) !== "standby") return 0;
  const again = later.find(({ host }) => placeOf(seen, host) === "active")?.at ?? Infinity;
  const counts = seen.connections.map(({ at, connections }) => ({
    at,
    count: connections[seen.places.active.id] ?? 0,
  }));
  const before = counts.findLast(({ at }) => at <= takeover.at)?.count ?? 0;
  const last = counts.findLast(({ at }) => at <= again)?.count ?? before;
  return Math.max(0, last - before);
}
