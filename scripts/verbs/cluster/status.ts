import { InvalidArgumentError, type Command } from "commander";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../../bootstrap/contract/errors.ts";
import { defaultTable } from "../../../bootstrap/contract/record/default-table.ts";
import { balancingGroups, balancingWarning } from "../../cluster/replace/group.ts";
import { loadBalancerWarnings } from "../../cluster/load-balancing.ts";
import { nodeStatuses, type NodeStatus } from "../../cluster/status.ts";
import { withdrawnImageWarnings } from "../../cluster/withdrawn-images.ts";
import { takeoverCandidates } from "../../cluster/takeover.ts";
import { exitCodes } from "../../ui/errors.ts";
import { interruptSignal } from "../../ui/interrupt.ts";
import type { Target } from "../../target/target.ts";
import { targetOf, withTarget, type TargetFlags } from "../target-flags.ts";
import { statusText } from "./status-table.ts";

type Flags = TargetFlags & {
  readonly json: boolean;
  readonly table: string;
  readonly cluster?: string;
  /** Seconds between two reads; `true` without a number. */
  readonly watch?: number | true;
};

const defaultWatchSeconds = 5;

export function addStatus(program: Command): void {
  withTarget(program.command("status"))
    .description("show the instances of each cluster, and which instance would take over")
    .option("--cluster <name>", "only the instances of this cluster")
    .option("--table <name>", "the table of the cluster records", defaultTable)
    .option(
      "--watch [seconds]",
      `repeat until Ctrl-C, every ${defaultWatchSeconds} seconds by default`,
      seconds,
    )
    .option("--json", "print JSON; with --watch, one line for each read", false)
    .action(statusVerb);
}

function seconds(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 1) return value;
  throw new InvalidArgumentError("It must be a number of seconds, at least 1.");
}

async function statusVerb(flags: Flags): Promise<void> {
  const target = targetOf(flags);
  const onUnreadable = (error: unknown, cluster: string) => {
    console.error(`the reports of the cluster ${cluster} cannot be read from the table ${flags.table}: ${error instanceof Error ? `${error.name}: ` : ""}${messageOf(error)}
The reports of its instances are missing here. \`eclair-bootstrap status\` on an instance prints its report.`);
    process.exitCode = exitCodes.failed;
  };
  const print = async () => {
    process.exitCode = exitCodes.succeeded;
    const statuses = await nodeStatuses(target, { ...flags, onUnreadable });
    if (flags.watch !== undefined && process.stdout.isTTY) console.clear();
    for (const warning of await warningsOn(target, statuses)) console.error(`warning: ${warning}`);
    console.log(flags.json ? JSON.stringify(withCandidates(statuses, new Date())) : textOf(statuses));
  };
  if (flags.watch === undefined) return await print();
  const signal = interruptSignal("");
  const interval = (flags.watch === true ? defaultWatchSeconds : flags.watch) * 1000;
  while (!signal.aborted) {
    await print();
    await sleep(interval, undefined, { signal }).catch(() => undefined);
  }
  process.exitCode = exitCodes.interrupted;
}

/** What an operator must know about the resources around the instances. It never hides the state of the instances. */
async function warningsOn(target: Target, statuses: readonly NodeStatus[]): Promise<string[]> {
  const clusters = [...new Set(statuses.map(({ cluster }) => cluster))];
  const checks = await Promise.allSettled([
    balancingGroups(target, clusters).then((groups) => groups.map(balancingWarning)),
    loadBalancerWarnings(target, statuses),
    withdrawnImageWarnings(target, statuses),
  ]);
  return checks.flatMap((check) =>
    check.status === "fulfilled"
      ? check.value
      : [`Auto Scaling groups, load balancers or images cannot be checked: ${messageOf(check.reason)}`],
  );
}

const textOf = (statuses: readonly NodeStatus[]) =>
  statuses.length === 0 ? "no cluster has an instance" : statusText(statuses, new Date());

/** Adds to each instance whether it would take over if the active instance of its cluster ended now. */
function withCandidates(statuses: readonly NodeStatus[], now: Date): object[] {
  return statuses.map((status) => {
    const ofCluster = statuses.filter(({ cluster }) => cluster === status.cluster);
    return { ...status, takesOver: takeoverCandidates(ofCluster, now).includes(status) };
  });
}
