import { blocksLeft, blocksText } from "../../../bootstrap/contract/budget/blocks-left.ts";
import { budgetText } from "../../../bootstrap/contract/budget/describe.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Target } from "../../target/target.ts";
import { nodeStatuses, type NodeStatus } from "../status.ts";
import { newestBudget } from "./newest.ts";

/**
 * An operation that fails must leave time to repair it. HTLCs of payments in progress have six blocks left or more: Eclair
 * accepts a payment 30 blocks before it expires, and closes 24 blocks before.
 */
const marginBlocks = 4;
/** The active instance computes the budget every minute. An older budget does not contain the HTLCs that came later. */
const oldestSeconds = 600;

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
    return "how long the node may be away is not known: its images are older than this check";
  const { budget, height } = newest;
  const { summary } = budget;
  const seconds = summary === undefined ? Infinity : (now.getTime() - Date.parse(summary.computedAt)) / 1000;
  if (summary === undefined || seconds > oldestSeconds || summary.unreadable > 0)
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
      "run the command again after a minute: an HTLC that is settled no longer counts. `eclair-ami budget` lists the channels. To accept that channels are closed, pass --ignore-budget",
  });
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
  const statuses = await nodeStatuses(target, { cluster, table });
  if (!statuses.some(({ report }) => report?.active === true)) return undefined;
  return requireBudget(statuses, planned, new Date());
}
