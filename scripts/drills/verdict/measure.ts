import type { Probe } from "../load/events.ts";
import type { Span } from "../results.ts";
import type { Observations } from "./observations.ts";
import type { Takeover } from "./writers.ts";

/** Probes start every 50 ms and time out after a second. */
const probeGapMilliseconds = 200;

/** The start of the first probe after the fault that a host answered which may take over. */
export function firstServed(
  { faultAt, hosts, eitherHostMayServe }: Observations,
  probes: readonly Probe[],
): number | undefined {
  const ids = eitherHostMayServe
    ? [hosts.active.instanceId, hosts.standby.instanceId]
    : [hosts.standby.instanceId];
  // The active host may still answer a probe that started just before the fault.
  const after = faultAt + (eitherHostMayServe ? probeGapMilliseconds : 0);
  return probes.find(({ at, endpoint, answered }) => answered && at > after && ids.includes(endpoint))?.at;
}

/** The longest time after the fault without an answered probe, when it is longer than the time between two probes. */
export function longestGap(probes: readonly Probe[], faultAt: number, endedAt: number): number | undefined {
  const answeredAt = probes.filter(({ answered }) => answered).map(({ at }) => at);
  const times = [...answeredAt.filter((at) => at > faultAt - probeGapMilliseconds), endedAt].toSorted(
    (a, b) => a - b,
  );
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? at));
  const longest = Math.max(0, ...gaps);
  return longest > probeGapMilliseconds ? Math.round(longest) : undefined;
}

export function answeredSpans(
  probes: readonly Probe[],
  endpoint: string,
  sinceFault: (at: number) => number,
): Span[] {
  const spans: Span[] = [];
  const answered = probes.filter((probe) => probe.endpoint === endpoint && probe.answered);
  for (const { at } of answered.toSorted((a, b) => a.at - b.at)) {
    const last = spans.at(-1);
    if (last !== undefined && sinceFault(at) - last.to <= probeGapMilliseconds) last.to = sinceFault(at);
    else spans.push({ from: sinceFault(at), to: sinceFault(at) });
  }
  return spans;
}

/** The start of the first probe, or the fault when no probe started before. */
export const observedSince = (probes: readonly Probe[], faultAt: number): number =>
  Math.min(faultAt, ...probes.map(({ at }) => at));

export function hostAt({ hosts }: Observations, address: string): "active" | "standby" | "other" {
  if (address === hosts.active.address) return "active";
  return address === hosts.standby.address ? "standby" : "other";
}

/**
 * Counts the connections that the load balancer sent to the superseded host, until that host became active again.
 * The counters of a restarted HAProxy start at zero.
 */
export function staleConnections(
  observations: Observations,
  [takeover, ...later]: readonly Takeover[],
): number {
  if (takeover === undefined || hostAt(observations, takeover.address) !== "standby") return 0;
  const activeAgainAt =
    later.find(({ address }) => hostAt(observations, address) === "active")?.at ?? Infinity;
  const counts = observations.connections.map(({ at, connections }) => ({
    at,
    count: connections[observations.hosts.active.instanceId] ?? 0,
  }));
  const before = counts.findLast(({ at }) => at <= takeover.at)?.count ?? 0;
  const last = counts.findLast(({ at }) => at <= activeAgainAt)?.count ?? before;
  return Math.max(0, last - before);
}
