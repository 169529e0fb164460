import Handlebars from "handlebars";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { plainPrefix, type Fault } from "./fault.ts";
import type { Results, Run } from "./results.ts";

const template = join(import.meta.dirname, "report.hbs");
/** A timeline begins that long before its fault. */
const leadMilliseconds = 1_500;
/** What comes long after the node is back is not of interest. */
const tailMilliseconds = 6_000;

const rows = [
  { key: "active", name: "active before" },
  { key: "standby", name: "standby before" },
  { key: "balancer", name: "load balancer" },
] as const;

/** One self-contained page about drills: no script, no font and no picture from anywhere else. */
export function drillReport(results: Results, faults: readonly Fault[]): string {
  const render = Handlebars.compile(readFileSync(template, "utf8"), { strict: true });
  const { runs } = results;
  const drills = faults.flatMap((fault) => {
    const these = runsOf(fault.name, runs);
    return these.length === 0 ? [] : [summary(fault, these)];
  });
  return render({
    results,
    drills,
    comparisons: comparisons(faults, runs),
    runCount: runs.length,
    failed: runs.filter(({ verdict }) => verdict === "failed").length,
    acknowledged: sum(runs, ({ acknowledged }) => acknowledged),
    lost: sum(runs, ({ lost }) => lost),
    overlaps: sum(
      runs.filter(({ drill }) => isOurs(faults.find(({ name }) => name === drill))),
      ({ overlaps }) => overlaps,
    ),
  });
}

const isOurs = (fault: Fault | undefined) => fault?.mustOverlap !== true && fault?.plain !== true;
const sum = (runs: readonly Run[], of: (run: Run) => number) =>
  runs.reduce((total, run) => total + of(run), 0);

const runsOf = (name: string, runs: readonly Run[]): Run[] =>
  runs.filter(({ drill }) => drill === name).toSorted((a, b) => a.run - b.run);

/** The same fault on ours and on plain Eclair, where both were drilled. */
function comparisons(faults: readonly Fault[], runs: readonly Run[]) {
  return faults.flatMap(({ name, title }) => {
    const [ours, plain] = [runsOf(name, runs), runsOf(`${plainPrefix}${name}`, runs)];
    if (ours.length === 0 || plain.length === 0) return [];
    const served = (of: readonly Run[]) => of.map(({ otherServes }) => otherServes);
    const [our, their] = [medianOf(served(ours)), medianOf(served(plain))];
    return [
      {
        title,
        ours: spread(served(ours)),
        plain: spread(served(plain)),
        times: our === undefined || their === undefined ? "–" : (their / our).toFixed(1),
        lost: `${sum(ours, ({ lost }) => lost)} / ${sum(plain, ({ lost }) => lost)}`,
        overlaps: `${sum(ours, ({ overlaps }) => overlaps)} / ${sum(plain, ({ overlaps }) => overlaps)}`,
      },
    ];
  });
}

function summary({ name, title }: Fault, runs: readonly Run[]) {
  return {
    name,
    title,
    runCount: runs.length,
    passed: runs.filter(({ verdict }) => verdict === "passed").length,
    allPassed: runs.every(({ verdict }) => verdict === "passed"),
    other: spread(runs.map(({ otherServes }) => otherServes)),
    outage: spread(runs.map(({ outage }) => outage)),
    leaseLeft: spread(
      runs.map(({ leaseLeft }) => leaseLeft),
      1,
    ),
    afterExpiry: spread(runs.map(afterExpiry)),
    acknowledged: sum(runs, ({ acknowledged }) => acknowledged),
    lost: sum(runs, ({ lost }) => lost),
    payments: runs.some(({ payments }) => payments !== undefined)
      ? sum(runs, ({ payments = 0 }) => payments)
      : "–",
    overlaps: sum(runs, ({ overlaps }) => overlaps),
    stale: sum(runs, ({ staleConnections }) => staleConnections),
    runs: runs.map(timeline),
  };
}

/** From the end of a lease that ran out, or was released by its holder, until the other host served. */
function afterExpiry({ otherServes, leaseLeft, timeline: { holders } }: Run): number | undefined {
  const taken = holders.find(({ at }) => at > 0)?.at;
  if (taken === undefined || otherServes === undefined || leaseLeft === undefined || leaseLeft > 0)
    return undefined;
  return otherServes - (taken + leaseLeft * 1000);
}

/** The upper one of two in the middle. */
function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Median and worst, in seconds. */
function spread(values: readonly (number | undefined)[], unit = 1_000): string {
  const middle = medianOf(values);
  if (middle === undefined) return "–";
  const worst = Math.max(...values.filter((value) => value !== undefined));
  return `${(middle / unit).toFixed(2)} / ${(worst / unit).toFixed(2)}`;
}

function timeline(run: Run) {
  const from = -leadMilliseconds;
  const to = Math.min(run.timeline.end, endOfInterest(run) + tailMilliseconds);
  const place = (at: number) => percent((Math.min(Math.max(at, from), to) - from) / (to - from));
  const width = (start: number, end: number) =>
    percent(Math.max((Math.min(end, to) - Math.max(start, from)) / (to - from), 0.002));
  const bars = (spans: readonly { from: number; to: number }[]) =>
    spans
      .filter((span) => span.to >= from && span.from <= to)
      .map((span) => ({ left: place(span.from), width: width(span.from, span.to) }));
  const { holders, answers } = run.timeline;
  return {
    ...run,
    good: run.verdict === "passed",
    length: ((to - from) / 1000).toFixed(1),
    rows: rows.map(({ key, name }) => ({
      name,
      fault: place(0),
      bars: bars(answers[key] ?? []),
      // The lease of a host, until somebody else took it.
      lease: bars(
        holders.flatMap((holder, index) =>
          holder.place === key ? [{ from: holder.at, to: holders[index + 1]?.at ?? run.timeline.end }] : [],
        ),
      ),
    })),
  };
}

/** When the load balancer led to a node again, or everything was over. */
function endOfInterest({ timeline: { answers, end } }: Run): number {
  const again = (answers["balancer"] ?? []).filter(({ from }) => from > 0).at(-1);
  return again?.from ?? end;
}

const percent = (fraction: number) => `${(fraction * 100).toFixed(2)}%`;
