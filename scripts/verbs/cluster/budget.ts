import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Command } from "commander";
import { blocksText, knownHeight } from "../../../bootstrap/contract/budget/blocks-left.ts";
import type { Budget, ChannelBudget } from "../../../bootstrap/contract/budget/budget.ts";
import { bitcoinText, budgetText, eventText } from "../../../bootstrap/contract/budget/describe.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { defaultTable } from "../../../bootstrap/contract/record/default-table.ts";
import { ClusterTable, documentClient } from "../../../bootstrap/contract/record/table.ts";
import { newestBudget } from "../../cluster/budget/newest.ts";
import { nodeStatuses } from "../../cluster/status.ts";
import { createTable } from "../../ui/table.ts";
import { targetOf, withTarget, type TargetFlags } from "../target-flags.ts";

type Flags = TargetFlags & { readonly cluster: string; readonly table: string; readonly json: boolean };

export function addBudget(program: Command): void {
  withTarget(program.command("budget"))
    .description("show how many blocks the node may be away, and its channels by deadline")
    .requiredOption("--cluster <name>", "the cluster")
    .option("--table <name>", "the table of the cluster records", defaultTable)
    .option("--json", "print JSON", false)
    .action(budgetVerb);
}

async function budgetVerb({ cluster, table: name, json, ...flags }: Flags): Promise<void> {
  const target = targetOf(flags);
  const table = new ClusterTable(documentClient(target.client(DynamoDBClient)), name, cluster);
  const [budget, statuses] = await Promise.all([
    table.budget.read(),
    nodeStatuses(target, { table: name, cluster }),
  ]);
  if (budget === undefined)
    throw new EclairAmiError({
      code: "budget.unknown",
      operation: `reading the budget of ${cluster}`,
      message: "no instance of the cluster has computed it yet, or an image of another version has",
      remedy: "check with `eclair-ami status` that an instance runs an image of this version",
    });
  const reports = statuses.flatMap(({ report }) => (report === undefined ? [] : [report]));
  const height = knownHeight(budget, reports);
  const problem = newestBudget(statuses)?.budget.problem;
  if (json) return console.log(JSON.stringify({ ...budget, knownHeight: height, problem }));
  console.log(budgetText({ summary: budget, ...(problem !== undefined && { problem }) }, height, new Date()));
  for (const line of detailsOf(budget, height)) console.log(line);
}

function detailsOf(budget: Budget, height: number): string[] {
  const { listed, channels, closesOnFeerateMismatch, htlcs, computedBy, computedAt } = budget;
  return [
    `block ${height}; computed by ${computedBy} at ${computedAt}, at block ${budget.height}`,
    ...(listed.length > 0 ? [channelTable(listed, height)] : []),
    ...(channels > listed.length ? [`${channels - listed.length} more channels, with later deadlines`] : []),
    ...(closesOnFeerateMismatch && htlcs > 0
      ? [
          "At any block, Eclair also closes a channel with HTLCs whose peer is offline, when the channel's feerate is too low (close-on-offline-feerate-mismatch).",
        ]
      : []),
  ];
}

function channelTable(channels: readonly ChannelBudget[], height: number): string {
  const table = createTable(["channel", "state", "HTLCs", "block", "what happens"]);
  for (const { channelId, peer, state, htlcs, htlcMsat, deadlines } of channels)
    table.push([
      `${channelId}\npeer ${peer}`,
      state,
      `${htlcs}\n${bitcoinText(htlcMsat)}`,
      deadlines.map((deadline) => String(deadline.height)).join("\n"),
      deadlines
        .map((deadline) => {
          const left = deadline.height - height;
          const when = left > 0 ? `in ${blocksText(left)}` : `since ${blocksText(-left)}`;
          return `${when}: ${eventText(deadline.event, "the channel")}`;
        })
        .join("\n"),
    ]);
  return table.toString();
}
