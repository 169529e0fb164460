import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Command } from "commander";
import { defaultTable } from "../../../bootstrap/contract/record/default-table.ts";
import type { Switchover } from "../../../bootstrap/contract/requests/switchover.ts";
import { ClusterTable, documentClient } from "../../../bootstrap/contract/record/table.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { plannedOutages, requireCurrentBudget } from "../../cluster/budget/require.ts";
import { nodeStatuses, type NodeStatus } from "../../cluster/status.ts";
import { chooseStandby, outageOf, switchOver } from "../../cluster/switchover.ts";
import { callerOf } from "../../target/caller.ts";
import { ignoreBudgetText, warnAbout } from "../budget-flag.ts";
import { targetOf, withTarget, type TargetFlags } from "../target-flags.ts";

type Flags = TargetFlags & {
  readonly cluster?: string;
  readonly table: string;
  readonly to?: string;
  readonly force: boolean;
  readonly ignoreBudget: boolean;
  readonly json: boolean;
};

const texts: Readonly<Record<Switchover["step"], string>> = {
  requested: "requested",
  accepted: "the active instance accepted the request",
  stopping: "its Eclair stops",
  released: "its lease is free",
  serving: "the next instance serves",
  reverted: "the previous instance is active again",
};

/** A planned switchover of a node to its standby. The request goes through the cluster table. */
export function addSwitchover(program: Command): void {
  withTarget(program.command("switchover"))
    .description("make the standby active, and print how long the node did not serve")
    .option("--cluster <name>", "the cluster, when there are several")
    .option("--to <instance>", "the instance that takes over, by id or name; any ready standby by default")
    .option("--force", "accept a standby that is not ready", false)
    .option("--ignore-budget", ignoreBudgetText, false)
    .option("--table <name>", "the table of the cluster records", defaultTable)
    .option("--json", "print the result as JSON", false)
    .action(switchover);
}

async function switchover(flags: Flags): Promise<void> {
  const target = targetOf(flags);
  const { table: name, cluster, to, force } = flags;
  const read = () => nodeStatuses(target, { table: name, ...(cluster !== undefined && { cluster }) });
  const statuses = await read();
  const table = new ClusterTable(documentClient(target.client(DynamoDBClient)), name, clusterOf(statuses));
  const participants = chooseStandby(statuses, { to, force, now: new Date() });
  if (!flags.ignoreBudget) warnAbout(await requireCurrentBudget(read, plannedOutages.switchover));
  const print = (text: string) => flags.json || console.log(text);
  print(`from       ${participants.from.name} (${participants.from.instanceId})`);
  print(`to         ${participants.to.name} (${participants.to.instanceId})`);
  const result = await switchOver(table, participants, await callerOf(target), (step) =>
    print(`           ${texts[step]}`),
  );
  const outageMs = outageOf(result);
  if (flags.json) return console.log(JSON.stringify({ ...result, outageMs }));
  console.log(
    `outage     ${outageMs} ms, from the stop of the previous Eclair to the API of the next, by the clocks of the instances`,
  );
}

function clusterOf(statuses: readonly NodeStatus[]): string {
  const clusters = [...new Set(statuses.map(({ cluster }) => cluster))];
  const [only] = clusters;
  if (only !== undefined && clusters.length === 1) return only;
  throw new EclairAmiError({
    code: "switchover.cluster-ambiguous",
    operation: "finding the cluster",
    message:
      only === undefined
        ? "no cluster has an instance"
        : `there are several clusters: ${clusters.join(", ")}`,
    remedy: "name the cluster with --cluster; `eclair-ami status` lists the clusters",
    exitCode: 2,
  });
}
