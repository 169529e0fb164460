import { addressIn, type Probe } from "../load/events.ts";
import type { AddressResult, Span } from "../results.ts";
import type { Observations } from "./observations.ts";

/** Probes start every 50 ms. A handshake without a fault takes some milliseconds. */
const probeGapMilliseconds = 200;
/** A handshake that started earlier has ended before the fault. */
const inProgressMilliseconds = 1_000;

/** When the first probe that started after the fault was answered by a host which may take over. */
export function firstServed(
  { faultAt, hosts, eitherHostMayServe }: Observations,
  probes: readonly Probe[],
): number | undefined {
  const ids = eitherHostMayServe
    ? [hosts.active.instanceId, hosts.standby.instanceId]
    : [hosts.standby.instanceId];
  // The active host may still answer a probe that started just before the fault.
  const after = faultAt + (eitherHostMayServe ? probeGapMilliseconds : 0);
  const times = probes.flatMap(({ at, endpoint, outcome, endedAt }) =>
    outcome === "answered" && at > after && ids.includes(endpoint) ? [endedAt] : [],
  );
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The probes of one address of the load balancer from shortly before the fault on. */
export const probesOf = (probes: readonly Probe[], zone: string, faultAt: number): Probe[] =>
  probes.filter(({ at, endpoint }) => endpoint === addressIn(zone) && at > faultAt - inProgressMilliseconds);

/**
 * What the clients of one address of the load balancer saw from shortly before the fault on. A client waits for the answer to
 * its own handshake; a client whose handshake fails waits until a later handshake is answered.
 */
export function measureAddress(
  allProbes: readonly Probe[],
  zone: string,
  faultAt: number,
  endedAt: number,
): AddressResult {
  const probes = probesOf(allProbes, zone, faultAt);
  const answered = probes.filter(({ outcome }) => outcome === "answered");
  const failed = probes.filter(({ outcome }) => outcome !== "answered");
  const away = [
    ...answered.map((probe) => probe.endedAt - probe.at),
    ...failed.map((probe) => {
      const laterAnswers = answered.flatMap((later) => (later.at >= probe.at ? [later.endedAt] : []));
      return Math.min(endedAt, ...laterAnswers) - probe.at;
    }),
  ];
  const held = answered
    .map((probe) => probe.endedAt - probe.at)
    .filter((milliseconds) => milliseconds > probeGapMilliseconds)
    .toSorted((a, b) => a - b);
  const count = (outcome: Probe["outcome"]) => probes.filter((probe) => probe.outcome === outcome).length;
  return {
    awayMilliseconds: Math.round(Math.max(0, ...away)),
    refused: count("refused"),
    cut: count("cut"),
    late: count("late"),
    held: held.length,
    heldMedianMilliseconds: held[Math.floor(held.length / 2)] ?? 0,
    heldWorstMilliseconds: held.at(-1) ?? 0,
    failingMilliseconds: Math.max(0, ...failed.map(({ at }) => at - faultAt)),
  };
}

/** From the fault to the end of the first successful payment that started after the fault. */
export function firstPayment({ payments, faultAt }: Observations): number | undefined {
  const paidAt = (payments ?? []).flatMap(({ at, endedAt, paymentHash }) =>
    paymentHash !== undefined && at > faultAt ? [endedAt] : [],
  );
  return paidAt.length === 0 ? undefined : Math.min(...paidAt) - faultAt;
}

/** When an endpoint answered, without longer interruption. A held handshake counts when it was answered. */
export function answeredSpans(
  probes: readonly Probe[],
  endpoint: string,
  sinceFault: (at: number) => number,
): Span[] {
  const spans: Span[] = [];
  const times = probes
    .filter((probe) => probe.endpoint === endpoint && probe.outcome === "answered")
    .map(({ endedAt }) => sinceFault(endedAt))
    .toSorted((a, b) => a - b);
  for (const at of times) {
    const last = spans.at(-1);
    if (last !== undefined && at - last.to <= probeGapMilliseconds) last.to = at;
    else spans.push({ from: at, to: at });
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
