import type { Command } from "commander";
import { defaultTable } from "../../bootstrap/record/default-table.ts";
import type { Switchover } from "../../bootstrap/record/switchover.ts";
import { ClusterTable, documentClient } from "../../bootstrap/record/table.ts";
import { Failure } from "../core/failure.ts";
import { nodeStatuses, type NodeStatus } from "../nodes/status.ts";
import { chooseStandby, outageOf, switchOver } from "../nodes/switchover.ts";
import { callerOf } from "../target/caller.ts";
import { targetOf, withTarget, type TargetFlags } from "./target-flags.ts";

type Flags = TargetFlags & {
  readonly cluster?: string;
  readonly table: string;
  readonly to?: string;
  readonly force: boolean;
  readonly json: boolean;
};

const words: Readonly<Record<Switchover["step"], string>> = {
  asked: "asked for",
  accepted: "the active one has accepted it",
  stopping: "its Eclair ends",
  released: "its lease is free for the next one",
  serving: "the next one serves",
  back: "the one before is active again",
};

/** Moves a node to its standby on purpose, through the table of the cluster records alone. */
export function addSwitchover(program: Command): void {
  withTarget(program.command("switchover"))
    .description("make the standby the active one, and tell how long the node was away")
    .option("--cluster <name>", "the cluster, where there are several")
    .option("--to <instance>", "who takes over, by id or name; any ready standby otherwise")
    .option("--force", "also to a standby that is not ready", false)
    .option("--table <name>", "the table of the cluster records", defaultTable)
    .option("--json", "the result as JSON", false)
    .action(switchover);
}

async function switchover(flags: Flags): Promise<void> {
  const target = targetOf(flags);
  const { table: name, cluster, to, force } = flags;
  const statuses = await nodeStatuses(target, { table: name, ...(cluster !== undefined && { cluster }) });
  const table = new ClusterTable(documentClient(target.dynamodb), name, clusterOf(statuses));
  const hand = chooseStandby(statuses, { to, force, now: new Date() });
  const say = (text: string) => flags.json || console.log(text);
  say(`from       ${hand.from.name} (${hand.from.instanceId})`);
  say(`to         ${hand.to.name} (${hand.to.instanceId})`);
  const done = await switchOver(table, hand, await callerOf(target), (step) =>
    say(`           ${words[step]}`),
  );
  const milliseconds = outageOf(done);
  if (flags.json) return console.log(JSON.stringify({ ...done, milliseconds }));
  console.log(`outage     ${milliseconds} ms, from the end of one to the other's API, by their own clocks`);
}

function clusterOf(statuses: readonly NodeStatus[]): string {
  const clusters = [...new Set(statuses.map(({ cluster }) => cluster))];
  const [only] = clusters;
  if (only !== undefined && clusters.length === 1) return only;
  throw new Failure({
    code: "switchover.cluster",
    doing: "looking for the cluster",
    cause: only === undefined ? "no instance of it runs" : `there are several: ${clusters.join(", ")}`,
    remedy: "name it with --cluster; `eclair-ami status` lists the instances",
    exit: 2,
  });
}
