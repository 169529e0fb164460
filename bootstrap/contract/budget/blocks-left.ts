import type { BitcoindReport } from "../reports/bitcoind.ts";
import type { BudgetSummary } from "./budget.ts";

const minutesPerBlock = 10;

/** The largest height that is known: of the budget itself, and of the blocks and headers of some instances. */
export function knownHeight(
  { height }: Pick<BudgetSummary, "height">,
  reports: readonly { readonly bitcoind: BitcoindReport }[],
): number {
  return reports.reduce(
    (most, { bitcoind }) => (bitcoind.known ? Math.max(most, bitcoind.blocks, bitcoind.headers) : most),
    height,
  );
}

/** Blocks until the next event that limits an outage, zero or less when it was reached meanwhile; undefined when there is none. */
export function blocksLeft({ next }: Pick<BudgetSummary, "next">, height: number): number | undefined {
  return next === undefined ? undefined : next.height - height;
}

/** A number of blocks with the time that they take on average, such as `12 blocks (about 2 h)`. */
export function blocksText(blocks: number): string {
  return `${blocks} ${Math.abs(blocks) === 1 ? "block" : "blocks"} (about ${durationText(Math.abs(blocks) * minutesPerBlock)})`;
}

function durationText(minutes: number): string {
  if (minutes < 120) return `${minutes} min`;
  const hours = minutes / 60;
  return hours < 48 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} days`;
}
