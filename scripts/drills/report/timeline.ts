import type { RunResult, Span } from "../results.ts";
import { awayMilliseconds } from "./summary.ts";

/** A timeline starts this long before the fault. */
const leadMilliseconds = 1_500;
/** A timeline ends this long after the node serves through the load balancer again. */
const tailMilliseconds = 6_000;
const maximumTicks = 16;
/** A shorter bar would be invisible. */
const minimumWidth = 0.002;

const rows = [
  { endpoint: "active", name: "Host A (was active)" },
  { endpoint: "standby", name: "Host B (was standby)" },
  { endpoint: "addressOfActive", name: "Address in A's zone" },
  { endpoint: "addressOfStandby", name: "Address in B's zone" },
] as const;

type Range = { readonly from: number; readonly to: number };

/** The positions of everything in the timeline of a run, in percent of its width. */
export function layOutTimeline(run: RunResult) {
  const range = { from: -leadMilliseconds, to: Math.max(0, Math.min(run.timeline.end, shownUntil(run))) };
  const { answers } = run.timeline;
  return {
    run: run.run,
    verdict: run.verdict,
    hasPassed: run.verdict === "passed",
    reasons: run.reasons,
    takeover: seconds(run.takeoverMilliseconds),
    away: seconds(run.addresses && awayMilliseconds(run.addresses)),
    fault: position(0, range),
    ticks: ticksOf(range).map(({ at, isMinor }) => ({
      left: position(at, range),
      label: tickLabel(at),
      isMinor,
    })),
    rows: rows.map(({ endpoint, name }) => ({
      name,
      answers: bars(answers[endpoint], range),
      lease: bars(leaseSpans(run, endpoint), range),
    })),
  };
}

/** @returns undefined without a value, so that the page omits it */
const seconds = (milliseconds: number | undefined): string | undefined =>
  milliseconds === undefined ? undefined : (milliseconds / 1000).toFixed(2);

/** The end of what a reader needs to see. */
function shownUntil({ timeline: { answers, end } }: RunResult): number {
  const recoveries = [answers.addressOfActive, answers.addressOfStandby].flatMap(
    (spans) => spans.findLast(({ from }) => from > 0)?.from ?? [],
  );
  const recoveredAt = recoveries.length === 0 ? undefined : Math.max(...recoveries);
  return recoveredAt === undefined ? end : recoveredAt + tailMilliseconds;
}

/** A host holds the lease until the next host takes it. */
function leaseSpans({ timeline: { leaseHolders, end } }: RunResult, host: string): Span[] {
  return leaseHolders.flatMap((holder, index) =>
    holder.host === host ? [{ from: holder.at, to: leaseHolders[index + 1]?.at ?? end }] : [],
  );
}

function bars(spans: readonly Span[], range: Range) {
  const visible = spans.filter(({ from, to }) => to >= range.from && from <= range.to);
  return visible.map(({ from, to }) => {
    const start = Math.max(from, range.from);
    const width = Math.max((Math.min(to, range.to) - start) / (range.to - range.from), minimumWidth);
    return { left: position(start, range), width: percent(width) };
  });
}

/** A tick of a time axis, in milliseconds since the fault. A narrow page omits the labels of minor ticks. */
type Tick = { readonly at: number; readonly isMinor: boolean };

/** The ticks at the multiples of 1, 2 or 5 times a power of ten. The fault has a tick that is not minor. */
export function ticksOf({ from, to }: Range): Tick[] {
  const step = tickStep((to - from) / maximumTicks);
  const first = Math.ceil(from / step);
  const last = Math.floor(to / step);
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    at: (first + index) * step,
    isMinor: (first + index) % 2 !== 0,
  }));
}

function tickStep(minimum: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(minimum));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * magnitude >= minimum) ?? 10;
  return factor * magnitude;
}

/** Seconds with the mathematical minus sign. */
const tickLabel = (at: number): string => String(Math.round(at) / 1000).replace("-", "−");

const position = (at: number, { from, to }: Range): string => percent((at - from) / (to - from));
const percent = (fraction: number): string => `${(fraction * 100).toFixed(2)}%`;
