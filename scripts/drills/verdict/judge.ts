import { addressIn } from "../load/events.ts";
import type { RunResult } from "../results.ts";
import {
  answeredSpans,
  firstPayment,
  firstServed,
  hostAt,
  measureAddress,
  observedSince,
} from "./measure.ts";
import type { Observations } from "./observations.ts";

/** A door holds a connection for four seconds (`doorLimits`). A client connects up to half a second before the door knows. */
const heldMilliseconds = 3_500;

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
  // The load balancer cannot know which baseline host is active.
  const addresses = observations.isBaseline
    ? undefined
    : { active: measure(hosts.active.zone), standby: measure(hosts.standby.zone) };
  const leaseRemainingSeconds = takeoversAfterFault[0]?.leaseRemainingSeconds;
  return {
    drill,
    run,
    faultAt: new Date(faultAt).toISOString(),
    ...verdict(observations, addresses),
    ...(servedAt !== undefined && { takeoverMilliseconds: sinceFault(servedAt) }),
    ...(addresses !== undefined && { addresses }),
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

function verdict(
  {
    problems,
    acknowledged,
    lostPaymentHashes,
    overlaps,
    expectsOverlap,
    isBaseline,
    keepsConnections,
  }: Observations,
  addresses: RunResult["addresses"],
): Pick<RunResult, "verdict" | "reasons"> {
  const reasons = [...problems];
  if (keepsConnections && addresses !== undefined) reasons.push(...failedHandshakes(addresses));
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

/** The failed handshakes at each address, when the node was not away for longer than a door holds a connection. */
function failedHandshakes(addresses: NonNullable<RunResult["addresses"]>): string[] {
  return Object.entries(addresses).flatMap(([host, { refused, cut, late, awayMilliseconds }]) =>
    refused + cut + late > 0 && awayMilliseconds < heldMilliseconds
      ? [
          `at the address in the zone of the ${host} host, ${refused} connections were refused, ${cut} cut and ${late} answered too late`,
        ]
      : [],
  );
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
