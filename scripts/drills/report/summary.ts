import { baselinePrefix, type Drill } from "../drill.ts";
import type { AddressResult, RunResult } from "../results.ts";

/** A drill with its runs. */
export type ExecutedDrill = { readonly drill: Drill; readonly runs: readonly RunResult[] };

type Optional = number | undefined;

const noValue = "–";

const sum = <T>(items: readonly T[], valueOf: (item: T) => number) =>
  items.reduce((total, item) => total + valueOf(item), 0);

/** The totals of a page. Overlapping writes of a drill that must or may have them do not count. */
export function summarizeResults(executed: readonly ExecutedDrill[]) {
  const runs = executed.flatMap((one) => one.runs);
  const fenced = executed.filter(({ drill }) => drill.expectsOverlap !== true && drill.isBaseline !== true);
  return {
    runs: runs.length,
    failed: runs.filter(({ verdict }) => verdict === "failed").length,
    acknowledgedWrites: sum(runs, ({ acknowledgedWrites }) => acknowledgedWrites),
    lostWrites: sum(runs, ({ lostWrites }) => lostWrites),
    overlappingWrites: sum(
      fenced.flatMap((one) => one.runs),
      ({ overlappingWrites }) => overlappingWrites,
    ),
  };
}

/** The cells of a drill in the table of all drills. */
export function summarizeDrill(runs: readonly RunResult[]) {
  const passed = runs.filter(({ verdict }) => verdict === "passed").length;
  return {
    runs: runs.length,
    passed,
    allPassed: passed === runs.length,
    takeover: medianAndWorst(runs.map(({ takeoverMilliseconds }) => takeoverMilliseconds)),
    away: medianAndWorst(runs.map(({ addresses }) => addresses && awayMilliseconds(addresses))),
    payment: medianAndWorst(runs.map(({ paymentMilliseconds }) => paymentMilliseconds)),
    held: sumOfAddresses(runs, ({ held }) => held),
    refused: sumOfAddresses(runs, ({ refused }) => refused),
    cut: sumOfAddresses(runs, ({ cut, late }) => cut + late),
    takeoverAfterExpiry: medianAndWorst(runs.map(takeoverAfterExpiry)),
    acknowledgedWrites: sum(runs, ({ acknowledgedWrites }) => acknowledgedWrites),
    lostWrites: sum(runs, ({ lostWrites }) => lostWrites),
    payments: runs.some(({ payments }) => payments !== undefined)
      ? sum(runs, ({ payments = 0 }) => payments)
      : noValue,
    overlappingWrites: sum(runs, ({ overlappingWrites }) => overlappingWrites),
  };
}

type Addresses = NonNullable<RunResult["addresses"]>;

/** The longest time that a client waited for the node, at whichever address. */
export const awayMilliseconds = ({ active, standby }: Addresses): number =>
  Math.max(active.awayMilliseconds, standby.awayMilliseconds);

const sumOfAddresses = (runs: readonly RunResult[], valueOf: (address: AddressResult) => number) =>
  sum(runs, ({ addresses }) =>
    addresses === undefined ? 0 : valueOf(addresses.active) + valueOf(addresses.standby),
  );

/** What the clients of each address saw over all runs of a drill; empty when no run has addresses. */
export function summarizeAddresses(runs: readonly RunResult[]) {
  const measured = runs.flatMap(({ addresses }) => addresses ?? []);
  if (measured.length === 0) return [];
  return (["active", "standby"] as const).map((host) => {
    const results = measured.map((addresses) => addresses[host]);
    const held = results.filter((result) => result.held > 0);
    return {
      host,
      away: medianAndWorst(results.map(({ awayMilliseconds: away }) => away)),
      held: sum(results, (result) => result.held),
      heldMedian: medianAndWorst(held.map(({ heldMedianMilliseconds }) => heldMedianMilliseconds)),
      heldWorst: medianAndWorst(held.map(({ heldWorstMilliseconds }) => heldWorstMilliseconds)),
      refused: sum(results, ({ refused }) => refused),
      cut: sum(results, ({ cut }) => cut),
      late: sum(results, ({ late }) => late),
      failing: medianAndWorst(results.map(({ failingMilliseconds }) => failingMilliseconds)),
    };
  });
}

/** The drills that were executed with eclair-ami and without it. */
export function compareWithBaseline(executed: readonly ExecutedDrill[]) {
  const runsOf = (name: string) => executed.find(({ drill }) => drill.name === name)?.runs;
  return executed.flatMap(({ drill: { name, title }, runs }) => {
    const baselineRuns = runsOf(`${baselinePrefix}${name}`);
    if (baselineRuns === undefined) return [];
    const takeovers = runs.map(({ takeoverMilliseconds }) => takeoverMilliseconds);
    const baselineTakeovers = baselineRuns.map(({ takeoverMilliseconds }) => takeoverMilliseconds);
    const both = (valueOf: (run: RunResult) => number) =>
      `${sum(runs, valueOf)} / ${sum(baselineRuns, valueOf)}`;
    return [
      {
        name,
        title,
        takeover: medianAndWorst(takeovers),
        baselineTakeover: medianAndWorst(baselineTakeovers),
        ratio: ratioOf(median(baselineTakeovers), median(takeovers)),
        lostWrites: both(({ lostWrites }) => lostWrites),
        overlappingWrites: both(({ overlappingWrites }) => overlappingWrites),
      },
    ];
  });
}

const ratioOf = (baseline: Optional, value: Optional) =>
  baseline === undefined || value === undefined ? noValue : (baseline / value).toFixed(1);

/** From the end of a lease that expired, or that its holder released, to the first handshake of the other host. */
function takeoverAfterExpiry(run: RunResult): Optional {
  const { takeoverMilliseconds, leaseRemainingSeconds, timeline } = run;
  const takenAt = timeline.leaseHolders.find(({ at }) => at > 0)?.at;
  if (takenAt === undefined || takeoverMilliseconds === undefined) return undefined;
  if (leaseRemainingSeconds === undefined || leaseRemainingSeconds > 0) return undefined;
  return takeoverMilliseconds - (takenAt + leaseRemainingSeconds * 1000);
}

/** The upper median. */
function median(values: readonly Optional[]): Optional {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** From milliseconds, in seconds; one number when there is one value. */
function medianAndWorst(values: readonly Optional[]): string {
  const middle = median(values);
  if (middle === undefined) return noValue;
  const existing = values.filter((value) => value !== undefined);
  const seconds = existing.length === 1 ? [middle] : [middle, Math.max(...existing)];
  return seconds.map((value) => (value / 1_000).toFixed(2)).join(" / ");
}
