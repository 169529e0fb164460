import type { Drill } from "../../scripts/drills/drill.ts";
import { formatVersion, type Results, type RunResult } from "../../scripts/drills/results.ts";

const sampleAddress = (awayMilliseconds: number) => ({
  awayMilliseconds,
  refused: 0,
  cut: 0,
  late: 0,
  held: 24,
  heldMedianMilliseconds: 700,
  heldWorstMilliseconds: awayMilliseconds,
  failingMilliseconds: 0,
});

/** A run in which the standby took over. */
export function sampleRun({ name, isBaseline, expectsOverlap }: Drill, run: number): RunResult {
  const isSwitchover = name === "switchover";
  return {
    drill: name,
    run,
    faultAt: "2026-01-01T00:00:00.000Z",
    verdict: isSwitchover ? "failed" : "passed",
    reasons: isSwitchover ? ["i-1 or <i-2> did not serve within 90 s"] : [],
    takeoverMilliseconds: isBaseline === true ? 16_000 : 1_200 + run,
    ...(isBaseline !== true && {
      addresses: { active: sampleAddress(1_400), standby: sampleAddress(1_350) },
    }),
    paymentMilliseconds: 3_900,
    leaseRemainingSeconds: isBaseline === true ? -0.3 : 9.4,
    takeovers: 1,
    acknowledgedWrites: 120,
    payments: 31,
    lostWrites: 0,
    overlappingWrites: expectsOverlap === true ? 40 : 0,
    timeline: {
      answers: {
        active: [{ from: -3_000, to: -20 }],
        standby: [{ from: 1_200, to: 20_000 }],
        addressOfActive: [
          { from: -3_000, to: -20 },
          { from: 1_350, to: 20_000 },
        ],
        addressOfStandby: [
          { from: -3_000, to: -20 },
          { from: 1_350, to: 20_000 },
        ],
      },
      leaseHolders: [
        { at: -3_000, host: "active" },
        { at: 900, host: "standby" },
      ],
      end: 20_000,
    },
  };
}

/** Results with a number of runs of each drill. */
export function sampleResults(drills: readonly Drill[], runs: number): Results {
  return {
    formatVersion,
    imageId: "ami-0123456789abcdef0",
    eclair: { version: "0.13.0", kind: "stand-in" },
    lease: { seconds: 15, renewalSeconds: 5 },
    cpus: 2,
    startedAt: "2026-01-01T00:00:00.000Z",
    runs: drills.flatMap((drill) => Array.from({ length: runs }, (_, index) => sampleRun(drill, index + 1))),
  };
}
