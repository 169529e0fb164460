import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Command } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { defaultTable } from "../../../bootstrap/contract/record/default-table.ts";
import { ClusterTable, documentClient } from "../../../bootstrap/contract/record/table.ts";
import { stackNames } from "../../../infra/stack-names.ts";
import { balancingWarning, findGroup } from "../../cluster/replace/group.ts";
import { backwardPlan, eclairVersionOf, forwardPlan, templateVersionOf } from "../../cluster/replace/plan.ts";
import { Replacer, type Step } from "../../cluster/replace/replacer.ts";
import { isReversible, requireConsent, type Consent } from "../../cluster/replace/reversible.ts";
import { withdrawnImageWarnings } from "../../cluster/withdrawn-images.ts";
import { describeStack } from "../../stack/cloudformation/stacks.ts";
import type { Target } from "../../target/target.ts";
import { callerOf } from "../../target/caller.ts";
import { emit } from "../../ui/tasks.ts";
import { ignoreBudgetText } from "../budget-flag.ts";
import { imageOf, knownImage, withImage, type ImageFlags } from "../image-flags.ts";
import { targetOf, withTarget } from "../target-flags.ts";

type Flags = ImageFlags &
  Consent & {
    readonly cluster: string;
    readonly config?: string;
    readonly rollback: boolean;
    readonly force: boolean;
    readonly ignoreBudget: boolean;
    readonly group?: string;
    readonly table: string;
    readonly timeout: number;
    readonly json: boolean;
  };

/** Re-images the Auto Scaling group of a cluster, one instance after another, with one switchover. */
export function addReplace(program: Command): void {
  withImage(withTarget(program.command("replace")), "the new image")
    .description("replace the image of every instance of a cluster's Auto Scaling group, standby first")
    .requiredOption("--cluster <name>", "the cluster")
    .option("--config <file>", "a new configuration; without it, the group's own")
    .option("--rollback", "return to the launch template version before the last replace", false)
    .option("--force", "with --rollback, when no instance is active: replaces one after another", false)
    .option("--ignore-budget", ignoreBudgetText, false)
    .option("--allow-irreversible", "accept that the schemas of the database change", false)
    .option("--snapshot <id>", "a recent RDS snapshot of the database, for --allow-irreversible")
    .option("--group <name>", "the Auto Scaling group, when the cluster has several")
    .option("--timeout <minutes>", "how long an instance may take to become a ready standby", minutes, 60)
    .option("--table <name>", "the table of the cluster records", defaultTable)
    .option("--json", "print each step as JSON", false)
    .action(replace);
}

async function replace(flags: Flags): Promise<void> {
  requireFittingFlags(flags);
  const target = targetOf(flags);
  const table = new ClusterTable(documentClient(target.client(DynamoDBClient)), flags.table, flags.cluster);
  const record = await table.record();
  if (record === undefined)
    throw invalid(
      `the cluster ${flags.cluster} has no cluster record`,
      "name a cluster that `eclair-ami init` or `adopt` created",
    );
  await requireSettledStack(target, flags.cluster);
  const group = await findGroup(target, flags.cluster, flags.group);
  if (group.balancesZones) console.error(`warning: ${balancingWarning(group.name)}`);
  const { templateId: name, version: current } = group.template;
  const image = flags.rollback ? undefined : await imageOf(target, flags, { name, version: current });
  const plan =
    image === undefined
      ? await backwardPlan(target, group)
      : await forwardPlan(group, flags.cluster, image.imageId, flags.config);
  const ofPlan = [{ instanceId: "the new instances", imageId: plan.imageId }];
  const ofGroup = group.members.map(({ instanceId }) => ({ instanceId, imageId: group.template.imageId }));
  for (const warning of await withdrawnImageWarnings(
    target,
    image === undefined ? ofPlan : [...ofGroup, ...ofPlan],
  ))
    console.error(`warning: ${warning}`);
  const eclair = await eclairVersionOf(
    target,
    image ?? (await knownImage(target, flags, plan.imageId)),
    record,
  );
  // The record does not show any more whether an interrupted `replace` was reversible.
  const reversible = isReversible(record, eclair) && plan.wasReversible;
  if (!reversible) await requireConsent(target, record, eclair, flags);
  const version = plan.version ?? (await templateVersionOf(target, group, plan));

  const print = (text: string) => flags.json || console.log(text);
  print(`group      ${group.name}, ${group.members.length} instances`);
  print(`from       ${group.template.imageId} (version ${group.template.version})`);
  print(`to         ${plan.imageId} (version ${version}), Eclair ${eclair}`);
  print(
    `rollback   ${reversible ? "possible with --rollback" : "not possible without a risk for every channel: docs/identity.md"}`,
  );
  const wanted = {
    cluster: flags.cluster,
    group: group.name,
    templateId: group.template.templateId,
    move: { from: plan.from, to: version, state: plan.state, reversible },
    resumed: plan.resumed,
    force: flags.force,
    ignoreBudget: flags.ignoreBudget,
    ...(group.lastReplace?.state === "done" && { previous: group.lastReplace }),
    timeoutMinutes: flags.timeout,
    requestedBy: await callerOf(target),
  };
  const outages = await new Replacer(target, table, wanted, (step) =>
    flags.json ? emit({ event: `replace.${step.step}`, ...step }) : console.log(textOf(step)),
  ).run();
  const outageMs = outages.reduce((sum, outage) => sum + outage, 0);
  if (flags.json) return emit({ event: "replace.succeeded", ...wanted, outageMs });
  console.log(
    outages.length === 0
      ? "done       without a switchover"
      : `done       the node did not serve for ${outageMs} ms`,
  );
}

/** A deployment that is in progress gives the group a launch template version with the image that it read before. */
async function requireSettledStack(target: Target, cluster: string): Promise<void> {
  const { StackName, StackStatus } = (await describeStack(target, stackNames(cluster).cluster)) ?? {};
  if (StackStatus === undefined || !StackStatus.endsWith("_IN_PROGRESS")) return;
  throw new EclairAmiError({
    code: "replace.stack-in-progress",
    operation: `replacing the instances of ${cluster}`,
    message: `the stack ${StackName} is in the state ${StackStatus}`,
    remedy: "wait until the deployment ends, and run this command again; nothing was changed",
  });
}

function requireFittingFlags({ rollback, image, channel, config, force }: Flags): void {
  const isNamed = image !== undefined || channel !== undefined;
  if (rollback === isNamed || (image !== undefined && channel !== undefined))
    throw invalid("either --image, --channel or --rollback is required", "pass one of them");
  if (rollback && config !== undefined)
    throw invalid(
      "--config requires --image or --channel",
      "a rollback uses the configuration of the previous version",
    );
  if (force && !rollback)
    throw invalid("--force requires --rollback", "a new image requires a node that is active");
}

const texts: { readonly [S in Step["step"]]: (step: Extract<Step, { step: S }>) => string } = {
  "health-check-changed": ({ targetGroupArn, path }) =>
    `target     ${targetGroupArn} checks ${path} from now on`,
  warning: ({ text }) => `warning    ${text}`,
  "version-changed": ({ version }) => `group      launches version ${version} from now on`,
  terminating: ({ instanceId }) => `terminate  ${instanceId}, which is not active`,
  launched: ({ instanceId }) => `launched   ${instanceId}`,
  ready: ({ instanceId }) => `ready      ${instanceId}`,
  "switching-over": ({ fromInstanceId, toInstanceId }) =>
    `switchover from ${fromInstanceId} to ${toInstanceId}`,
  serving: ({ instanceId, durationMs }) => `serving    ${instanceId}, after ${durationMs} ms`,
};

const textOf = (step: Step): string => (texts[step.step] as (step: Step) => string)(step);

function minutes(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw invalid(`--timeout ${text} is not a number of minutes`, "pass a whole number, at least 1");
}

function invalid(message: string, remedy: string): EclairAmiError {
  return new EclairAmiError({
    code: "replace.invalid",
    operation: "reading the options",
    message,
    remedy,
    exitCode: 2,
  });
}
