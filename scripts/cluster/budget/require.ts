import { setTimeout as sleep } from "node:timers/promises";
import { blocksLeft, blocksText } from "../../../bootstrap/contract/budget/blocks-left.ts";
import type { BudgetSummary } from "../../../bootstrap/contract/budget/budget.ts";
import { budgetText, clockToleranceSeconds } from "../../../bootstrap/contract/budget/describe.ts";
import { freshSeconds } from "../../../bootstrap/contract/reports/standby.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Target } from "../../target/target.ts";
import { nodeStatuses, type NodeStatus } from "../status.ts";
import { reportAge } from "../takeover.ts";
import { newestBudget } from "./newest.ts";

/**
 * An operation that fails must leave time to repair it. A payment in progress has six blocks when Eclair accepts it: Eclair accepts
 * it 30 blocks before it expires, and closes 24 blocks before.
 */
const marginBlocks = 4;
/** An older budget does not contain the HTLCs that came later. */
const oldestSeconds = 600;
const firstBudgetMilliseconds = 15_000;
const pollMilliseconds = 500;

/** An operation during which the node may be away. */
export type PlannedOutage = {
  readonly operation: string;
  /** How many blocks may be found meanwhile. */
  readonly blocks: number;
};

export const plannedOutages = {
  /** The node is away for seconds. */
  switchover: { operation: "switching over", blocks: 1 },
  rotation: { operation: "rotating a login", blocks: 1 },
  replace: { operation: "replacing the instances", blocks: 1 },
  /** A database that changes its class or its version is away for less than an hour. */
  stackChange: { operation: "changing the stacks", blocks: 6 },
  /** The node is away until an operator deploys it again. */
  stackDeletion: { operation: "deleting the stack of the cluster", blocks: 144 },
} as const satisfies Readonly<Record<string, PlannedOutage>>;

/**
 * Refuses an operation when the node could lose a channel or money because of it.
 * @param statuses the instances of one cluster
 * @returns a warning for a node whose images are older than the budget
 * @throws EclairAmiError `budget.too-small`, `budget.unknown`
 */
export function requireBudget(
  statuses: readonly NodeStatus[],
  { operation, blocks }: PlannedOutage,
  now: Date,
): string | undefined {
  const newest = newestBudget(statuses);
  if (newest === undefined)
    return "how long the node may be away is not known: the image of the active instance is older than this check";
  const { budget, height } = newest;
  const { summary } = budget;
  if (summary === undefined || !isCurrent(summary, now) || !coversRevoked(summary, blocks))
    throw new EclairAmiError({
      code: "budget.unknown",
      operation,
      message: `it is not known how long the node may be away: ${budgetText(budget, height, now)}`,
      remedy:
        "check that the active instance reaches its database and its bitcoind (`eclair-ami status`), or pass --ignore-budget",
    });
  const left = blocksLeft(summary, height);
  const needed = blocks + marginBlocks;
  if (left === undefined || left >= needed) return undefined;
  throw new EclairAmiError({
    code: "budget.too-small",
    operation,
    message: `the node may be away for ${blocksText(blocks)}, with a margin of ${blocksText(marginBlocks)}, and it has less: ${budgetText(budget, height, now)}`,
    remedy:
      summary.next?.event === "revoked-unseen"
        ? "close the channels first, or pass --ignore-budget and make the node active again before this block"
        : "run the command again after some minutes: an HTLC that is settled no longer counts. `eclair-ami budget` lists the channels. To accept that channels are closed, pass --ignore-budget",
  });
}

function isCurrent({ computedAt, unreadable }: BudgetSummary, now: Date): boolean {
  const seconds = (now.getTime() - Date.parse(computedAt)) / 1000;
  return unreadable === 0 && seconds <= oldestSeconds && seconds >= -clockToleranceSeconds;
}

/** Without a processed block, the limit of revoked commitments is not known. It is longer than a short outage. */
const coversRevoked = ({ revoked }: BudgetSummary, blocks: number): boolean =>
  revoked === undefined || revoked.processedHeight !== undefined || blocks < revoked.window / 10;

/**
 * `requireBudget` with the reports of now. An instance that has just become active computes its first budget within seconds.
 * @param read the instances of one cluster
 */
export async function requireCurrentBudget(
  read: () => Promise<readonly NodeStatus[]>,
  planned: PlannedOutage,
): Promise<string | undefined> {
  const end = performance.now() + firstBudgetMilliseconds;
  for (;;) {
    const statuses = await read();
    const newest = newestBudget(statuses);
    const isComing = newest !== undefined && newest.budget.summary === undefined;
    if (!isComing || performance.now() > end) return requireBudget(statuses, planned, new Date());
    await sleep(pollMilliseconds);
  }
}

/**
 * `requireBudget` for the cluster of a stack. A node without an active instance is away already, and a change may end this.
 * @param table the table of the cluster records
 */
export async function requireClusterBudget(
  target: Target,
  { cluster, table }: { readonly cluster: string; readonly table: string },
  planned: PlannedOutage,
): Promise<string | undefined> {
  const read = () => nodeStatuses(target, { cluster, table });
  const isActive = (status: NodeStatus) =>
    status.report?.active === true && (reportAge(status, new Date()) ?? Infinity) <= freshSeconds;
  if (!(await read()).some(isActive)) return undefined;
  return await requireCurrentBudget(read, planned);
}
