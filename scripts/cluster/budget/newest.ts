import { knownHeight } from "../../../bootstrap/contract/budget/blocks-left.ts";
import type { BudgetReport } from "../../../bootstrap/contract/budget/budget.ts";
import type { NodeStatus } from "../status.ts";

/** The newest budget that the instances of one cluster report, and the height of the chain. */
export type NewestBudget = { readonly budget: BudgetReport; readonly height: number };

/** @returns undefined when no budget can be expected, because the image of the active instance is older */
export function newestBudget(statuses: readonly NodeStatus[]): NewestBudget | undefined {
  const reports = statuses.flatMap(({ report }) => (report === undefined ? [] : [report]));
  const budgets = reports.flatMap(({ budget }) => (budget === undefined ? [] : [budget]));
  const [first] = budgets.toSorted((a, b) => computedAt(b) - computedAt(a));
  const active = reports.find((report) => report.active);
  if (first === undefined) return undefined;
  if (first.summary === undefined && active !== undefined && active.budget === undefined) return undefined;
  // A standby repeats the last budget of the table. Without an active instance, every instance computes it.
  const problems = (active === undefined ? budgets : [active.budget, first]).map((one) => one?.problem);
  const problem = problems.find((text) => text !== undefined);
  return {
    budget: { ...first, ...(problem !== undefined && { problem }) },
    height: first.summary === undefined ? 0 : knownHeight(first.summary, reports),
  };
}

const computedAt = ({ summary }: BudgetReport) =>
  summary === undefined ? -Infinity : Date.parse(summary.computedAt);
