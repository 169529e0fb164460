import { addressIn, type Probe } from "../load/events.ts";
import type { RunResult } from "../results.ts";
import {
  answeredSpans,
  firstPayment,
  firstServed,
  hostAt,
  measureAddress,
  observedSince,
  probesOf,
} from "./measure.ts";
import type { Observations } from "./observations.ts";

/** A door holds a connection for four seconds (`doorLimits`), or a little less: its timer starts when it accepts the connection. */
const holdsAtLeastMilliseconds = 3_500;
/** Without a fault, a handshake takes some milliseconds. On a machine whose processors are fully used, all of them take seconds. */
const promptMilliseconds = 1_000;
/**
 * During a takeover, `/serving` returns 200 for ten seconds after the last answer that the door of the host has seen; this answer
 * can be older than the last answer to a probe. After that, the target is unhealthy, and the load balancer resets its connections.
 */
const healthyAtLeastMilliseconds = 9_000;

/** Measures a run and decides whether it passed. */
export function judge(drill: string, run: number, observations: Observations): RunResult {
  const { faultAt, endedAt, hosts } = observations;
  const sinceFault = (at: number) => Math.round(at - faultAt);
  const probes = observations.probes.filter(({ at }) => at <= endedAt);
  const takeovers = observations.takeovers.filter(({ at }) => at <= endedAt);
  const takeoversAfterFault = takeovers.filter(({ at }) => at > faultAt);
  const servedAt = firstServed(observations, probes);
  const paidAfter = firstPayment(observations);
  const measure = (zone: string) => measureAddress(probes, zone, faultAt, endedAt);
  const leaseRemainingSeconds = takeoversAfterFault[0]?.leaseRemainingSeconds;
  return {
    drill,
    run,
    faultAt: new Date(faultAt).toISOString(),
    ...verdict(observations, probes, leaseRemainingSeconds),
    ...(servedAt !== undefined && { takeoverMilliseconds: sinceFault(servedAt) }),
    // The load balancer cannot know which baseline host is active.
    ...(!observations.isBaseline && {
      addresses: { active: measure(hosts.active.zone), standby: measure(hosts.standby.zone) },
    }),
    ...(observations.change !== undefined && { change: observations.change }),
    ...(paidAfter !== undefined && { paymentMilliseconds: Math.round(paidAfter) }),
    ...(leaseRemainingSeconds !== undefined && { leaseRemainingSeconds }),
    takeovers: takeoversAfterFault.length,
    acknowledgedWrites: observations.acknowledged.length,
    ...(observations.payments !== undefined && {
      payments: observations.payments.filter(({ paymentHash }) => paymentHash !== undefined).length,
    }),
    lostWrites: observations.lostPaymentHashes.length,
    overlappingWrites: observations.overlaps.length,
    timeline: {
      answers: {
        active: answeredSpans(probes, hosts.active.instanceId, sinceFault),
        standby: answeredSpans(probes, hosts.standby.instanceId, sinceFault),
        addressOfActive: answeredSpans(probes, addressIn(hosts.active.zone), sinceFault),
        addressOfStandby: answeredSpans(probes, addressIn(hosts.standby.zone), sinceFault),
      },
      leaseHolders: [
        { at: observedSince(probes, faultAt), address: observations.initialHolder.address },
        ...takeovers,
      ].map(({ at, address }) => ({ at: sinceFault(at), host: hostAt(observations, address) })),
      end: sinceFault(endedAt),
    },
  };
}

/** @param leaseRemainingSeconds when the lease was taken; undefined when nobody took it */
function verdict(
  observations: Observations,
  probes: readonly Probe[],
  leaseRemainingSeconds: number | undefined,
): Pick<RunResult, "verdict" | "reasons"> {
  const { problems, acknowledged, lostPaymentHashes, overlaps, expectsOverlap, isBaseline } = observations;
  const reasons = [...problems];
  if (observations.keepsConnections) reasons.push(...failedHandshakes(observations, probes));
  if (observations.claimsLease && (leaseRemainingSeconds ?? 0) <= 0)
    reasons.push(
      "the standby did not claim the lease: it took over after the end of the lease, or not at all",
    );
  if (!isBaseline && acknowledged.length === 0)
    reasons.push("Eclair acknowledged no write, so a lost write could not be found");
  if (!isBaseline && lostPaymentHashes.length > 0)
    reasons.push(
      `the database does not contain ${count(lostPaymentHashes.length, "acknowledged write")}: ${lostPaymentHashes.join(", ")}`,
    );
  if (expectsOverlap && overlaps.length === 0)
    reasons.push("the harness found no overlapping write although the fence was disabled");
  const [first] = overlaps;
  if (!expectsOverlap && !isBaseline && first !== undefined)
    reasons.push(
      `a superseded Eclair committed ${count(overlaps.length, "write")}, the first from ${first.address} to ${first.tables.join(", ")}`,
    );
  return { verdict: reasons.length === 0 ? "passed" : "failed", reasons };
}

/**
 * The handshakes at each address of the load balancer that failed although a door would have held them and passed them on. A door
 * gives up a handshake only when it has held it for its time, and meanwhile the node has not answered promptly: at most half of the
 * answers to later handshakes were prompt.
 */
function failedHandshakes({ hosts, faultAt }: Observations, probes: readonly Probe[]): string[] {
  const answers = probes.flatMap(({ outcome, endedAt }) => (outcome === "answered" ? [endedAt] : []));
  const unansweredFor = (time: number) => time - Math.max(...answers.filter((at) => at <= time));
  const throughLoadBalancer = Object.values(hosts).flatMap(({ zone }) => probesOf(probes, zone, faultAt));
  const isGivenUp = ({ at, endedAt }: Probe) => {
    if (endedAt - at < holdsAtLeastMilliseconds) return false;
    const others = throughLoadBalancer.filter(
      (other) =>
        other.outcome === "answered" &&
        other.at > Math.max(at, faultAt) &&
        other.at < endedAt - promptMilliseconds,
    );
    const prompt = others.filter((other) => other.endedAt - other.at < promptMilliseconds);
    return prompt.length <= others.length / 2;
  };
  return Object.values(hosts).flatMap(({ zone }) => {
    const failed = probesOf(probes, zone, faultAt).filter(
      (probe) =>
        probe.outcome !== "answered" &&
        !isGivenUp(probe) &&
        unansweredFor(probe.endedAt) < healthyAtLeastMilliseconds,
    );
    return failed.length === 0
      ? []
      : [`${count(failed.length, "handshake")} failed at the load balancer's address in ${zone}`];
  });
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
