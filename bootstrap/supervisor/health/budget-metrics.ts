import { blocksLeft, knownHeight } from "../../contract/budget/blocks-left.ts";
import type { BudgetSummary } from "../../contract/budget/budget.ts";
import type { InstanceReport } from "../../contract/reports/instance.ts";
import { one, type Metric, type Sample } from "./metric.ts";

const millisatoshisPerBitcoin = 100_000_000_000;

/** A metric of the last known budget. */
const metric = (
  name: string,
  help: string,
  samples: (summary: BudgetSummary, report: InstanceReport) => readonly Sample[],
  labels: readonly string[] = [],
): Metric => ({
  name: `eclair_ami_budget_${name}`,
  help,
  labels,
  samples: (report) => {
    const summary = report.budget?.summary;
    return summary === undefined ? [] : samples(summary, report);
  },
});

/** How long the node may be away, by the last budget that the instance knows. */
export const budgetMetrics: readonly Metric[] = [
  metric(
    "blocks_left",
    "blocks until the next event that limits an outage; absent while there is none",
    (summary, report) => {
      const left = blocksLeft(summary, knownHeight(summary, [report]));
      return left === undefined ? [] : one(left);
    },
  ),
  metric("overdue_channels", "channels with a deadline that was reached", ({ overdue }) =>
    one(overdue?.channels ?? 0),
  ),
  metric(
    "event_blocks_left",
    "blocks until the earliest event of each kind",
    (summary, report) =>
      summary.deadlines.map(({ event, height }) => ({
        labels: { event },
        value: height - knownHeight(summary, [report]),
      })),
    ["event"],
  ),
  metric("age_seconds", "seconds since the budget was computed", ({ computedAt }) =>
    one((Date.now() - Date.parse(computedAt)) / 1000),
  ),
  metric("channels", "channels with a pending HTLC or an unresolved output on chain", ({ channels }) =>
    one(channels),
  ),
  metric("htlcs", "pending HTLCs", ({ htlcs }) => one(htlcs)),
  metric("htlc_bitcoins", "sum of the pending HTLCs in bitcoins", ({ htlcMsat }) =>
    one(htlcMsat / millisatoshisPerBitcoin),
  ),
  metric("unreadable_channels", "open channels that the budget does not cover", ({ unreadable }) =>
    one(unreadable),
  ),
  metric(
    "stuck_blocks",
    "blocks for which the longest pending HTLC was seen, of those with less than a day left",
    ({ stuckBlocks }) => one(stuckBlocks),
  ),
];
