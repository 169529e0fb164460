import { paginateDescribeInstances, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import Table from "cli-table3";
import type { Command } from "commander";
import { defaultTable } from "../../bootstrap/record/default-table.ts";
import type { InstanceState } from "../../bootstrap/supervise/state.ts";
import { exitCodes, Failure, messageOf } from "../core/failure.ts";
import { consoleOf } from "../nodes/console.ts";
import { readConfiguration } from "../nodes/configuration.ts";
import { launch } from "../nodes/launch.ts";
import { freshSeconds, nodeStatuses, type NodeStatus } from "../nodes/status.ts";
import type { Target } from "../target/target.ts";
import { targetOf, withTarget, type TargetFlags } from "./target-flags.ts";

type LaunchFlags = TargetFlags & {
  readonly image: string;
  readonly config: string;
  readonly template?: string;
  readonly name?: string;
  readonly subnet?: string;
};

/** Instances of a cluster: launch, status, logs, terminate. */
export function addNodes(program: Command): void {
  withTarget(program.command("launch"))
    .description("start an instance of an image as the node that a configuration names")
    .requiredOption("--image <id>", "the image")
    .requiredOption("--config <file>", "the node's configuration")
    .option("--template <name>", "launch template, by name or id; in the lab, the cluster's own")
    .option("--name <name>", "the instance's name; the cluster's otherwise")
    .option("--subnet <id>", "another subnet than the template's: a standby is best in another zone")
    .action(launchVerb);
  withTarget(program.command("status"))
    .description("the instances of all clusters, and how each stands")
    .option("--cluster <name>", "those of one cluster alone")
    .option("--table <name>", "the table of the cluster records", defaultTable)
    .option("--json", "as JSON", false)
    .action(statusVerb);
  withTarget(program.command("logs <instance>"))
    .description("an instance's console, by id or name")
    .action(async (instance: string, flags: TargetFlags) => {
      const target = targetOf(flags);
      process.stdout.write(await consoleOf(target, await idOf(target, instance)));
    });
  withTarget(program.command("terminate <instance>"))
    .description("terminate an instance, by id or name; volumes that hold a chain are kept")
    .action(async (instance: string, flags: TargetFlags) => {
      const target = targetOf(flags);
      const id = await idOf(target, instance);
      await target.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
      console.log(`${id} is being terminated`);
    });
}

async function launchVerb(flags: LaunchFlags): Promise<void> {
  const target = targetOf(flags);
  const { configuration } = readConfiguration(flags.config);
  const template = flags.template ?? (target.name === "lab" ? configuration.cluster : undefined);
  if (template === undefined)
    throw new Failure({
      code: "launch.template",
      doing: "launching an instance",
      cause: "no launch template is named",
      remedy: "pass --template: it brings subnet, security groups, instance type and instance profile",
      exit: 2,
    });
  const { image: imageId, config: configurationFile, name, subnet: subnetId } = flags;
  const wanted = { imageId, configurationFile, template, name, subnetId };
  const { instanceId, templateVersion } = await launch(target, wanted);
  console.log(`${instanceId} is starting, from version ${templateVersion} of ${template}`);
}

/** The id of one of this project's instances, from itself or from a name that only one of them has. */
async function idOf(target: Target, instance: string): Promise<string> {
  const found: string[] = [];
  for await (const page of paginateDescribeInstances({ client: target.ec2 }, {}))
    for (const { Instances } of page.Reservations ?? [])
      for (const { InstanceId = "", State, Tags = [] } of Instances ?? []) {
        const named = Tags.some(({ Key, Value }) => Key === "Name" && Value === instance);
        const ours = Tags.some(({ Key }) => Key?.startsWith("eclair-ami:"));
        if (ours && (InstanceId === instance || (named && State?.Name !== "terminated")))
          found.push(InstanceId);
      }
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new Failure({
    code: "instance.unknown",
    doing: `looking for the instance ${instance}`,
    cause:
      found.length === 0 ? "none of this project's instances is called that" : "more than one has that name",
    remedy: "name it by its id; `eclair-ami status` lists them",
    exit: 2,
  });
}

async function statusVerb(
  flags: TargetFlags & { readonly json: boolean; readonly table: string; readonly cluster?: string },
): Promise<void> {
  const target = targetOf(flags);
  const onUnreadable = (error: unknown) => {
    console.error(`the table ${flags.table} can't be read: ${messageOf(error)}
What instances tell of themselves is missing here; \`eclair-bootstrap status\` on an instance has it.`);
    process.exitCode = exitCodes.failed;
  };
  const statuses = await nodeStatuses(target, { ...flags, onUnreadable });
  if (flags.json) return console.log(JSON.stringify(statuses));
  if (statuses.length === 0) return console.log("no instance of a cluster runs");
  console.log(statusTable(statuses));
}

function ageOf({ toldAt }: NodeStatus): string[] {
  const seconds = toldAt === undefined ? 0 : Math.round((Date.now() - Date.parse(toldAt)) / 1000);
  return seconds > freshSeconds ? [`(told ${seconds} s ago)`] : [];
}

/** An instance's role, and what an operator should know beside it. */
function notesOn({ state, boot }: NodeStatus): string[] {
  if (state === undefined) return [boot.said];
  const notes = [state.role, ...state.reasons];
  if (state.role === "standby") notes.push(armedWords(state.eclair));
  if (state.active && !state.record.seen) notes.push(state.record.why);
  // A boot that has failed since: its host goes on with what the one before has rendered.
  if (boot.failed) notes.push(boot.said);
  return notes;
}

function armedWords({ armed, armsLate }: InstanceState["eclair"]): string {
  if (armed === "yes") return "armed";
  return armsLate ? "arms when the lease is about to run out" : "not armed yet";
}

export function statusTable(statuses: readonly NodeStatus[]): string {
  const table = new Table({
    head: ["name", "instance", "image", "address", "role", "target", "lease", "block", "node id"],
    style: { head: [], border: [] },
  });
  for (const status of statuses) {
    const { state } = status;
    const lease =
      state?.lease.seen === true && state.active ? `${state.lease.remaining.toFixed(0)} s left` : "-";
    const block = state?.bitcoind.seen === true ? String(state.bitcoind.blocks) : "-";
    table.push([
      status.name,
      `${status.instanceId}\n${status.instance}`,
      status.imageId,
      `${status.address}\n${status.zone}`,
      [...notesOn(status), ...ageOf(status)].join("\n"),
      status.targetHealth.join("\n") || "-",
      lease,
      block,
      state?.nodeId.match(/.{1,22}/g)?.join("\n") ?? "-",
    ]);
  }
  return table.toString();
}
