import type { Command } from "commander";
import { defaultTable } from "../../bootstrap/record/default-table.ts";
import type { ClusterRecord } from "../../bootstrap/record/record.ts";
import { ClusterTable, documentClient } from "../../bootstrap/record/table.ts";
import { Failure } from "../core/failure.ts";
import { readConfiguration } from "../nodes/configuration.ts";
import { groupOf, templateVersion, type NodeGroup } from "../nodes/group.ts";
import { makeVersion, requireImage, userDataOf } from "../nodes/launch.ts";
import { Replacer, type Step } from "../nodes/replace.ts";
import { isReversible, requireConsent, type Consent } from "../nodes/reversible.ts";
import { callerOf } from "../target/caller.ts";
import type { Target } from "../target/target.ts";
import { targetOf, withTarget, type TargetFlags } from "./target-flags.ts";

type Flags = TargetFlags &
  Consent & {
    readonly cluster: string;
    readonly image?: string;
    readonly config?: string;
    readonly rollback: boolean;
    readonly force: boolean;
    readonly group?: string;
    readonly table: string;
    readonly within: number;
    readonly json: boolean;
  };

/** Re-images a cluster's Auto Scaling group, one instance after another, with one handing over in between. */
export function addReplace(program: Command): void {
  withTarget(program.command("replace"))
    .description("give every instance of a cluster's Auto Scaling group another image, standby first")
    .requiredOption("--cluster <name>", "the cluster")
    .option("--image <id>", "the image")
    .option("--config <file>", "another configuration too; the group's own otherwise")
    .option("--rollback", "back to the launch template version before the last replace", false)
    .option("--force", "with --rollback, when no instance serves: it ends them one after another", false)
    .option("--irreversible", "also where the database's schemas change, and there is no way back", false)
    .option("--snapshot <id>", "the RDS snapshot that was taken before")
    .option("--group <name>", "the Auto Scaling group, where the cluster has several")
    .option("--within <minutes>", "how long an instance may take to become a ready standby", minutes, 60)
    .option("--table <name>", "the table of the cluster records", defaultTable)
    .option("--json", "every step as JSON", false)
    .action(replace);
}

async function replace(flags: Flags): Promise<void> {
  if (flags.rollback === (flags.image !== undefined))
    throw wrongUse("either --image or --rollback must be given", "name an image, or go back to the last one");
  if (flags.rollback && flags.config !== undefined)
    throw wrongUse("--config goes with --image alone", "a rollback brings its own configuration");
  if (flags.force && !flags.rollback)
    throw wrongUse("--force goes with --rollback alone", "another image wants a node that serves");
  const target = targetOf(flags);
  const table = new ClusterTable(documentClient(target.dynamodb), flags.table, flags.cluster);
  const record = await table.record();
  if (record === undefined)
    throw wrongUse(`${flags.cluster} has no cluster record`, "name a cluster that `init` has made");
  const group = await groupOf(target, flags.cluster, flags.group);
  const plan = flags.image === undefined ? await backPlan(target, group) : forwardPlan(group, flags);
  const eclair = await eclairOf(target, plan.imageId, record);
  // What one that was cut off has changed already can't tell any more whether it could be undone.
  const reversible = isReversible(record, eclair) && plan.wasReversible;
  if (!reversible) await requireConsent(target, record, eclair, flags);
  const version = plan.version ?? (await versionOf(target, group, plan));

  const say = (text: string) => flags.json || console.log(text);
  say(`group      ${group.name}, ${group.members.length} instances`);
  say(`from       ${group.template.imageId} (version ${group.template.version})`);
  say(`to         ${plan.imageId} (version ${version}), Eclair ${eclair}`);
  say(
    `undo       ${reversible ? "with --rollback" : "none without risking every channel: docs/identity.md"}`,
  );
  const wanted = {
    cluster: flags.cluster,
    group: group.name,
    templateId: group.template.templateId,
    move: { from: plan.from, to: version, state: plan.state, reversible },
    resumed: plan.resumed,
    force: flags.force,
    ...(group.last?.state === "done" && { previous: group.last }),
    withinMinutes: flags.within,
    by: await callerOf(target),
  };
  const outages = await new Replacer(target, table, wanted, (step) =>
    flags.json ? console.log(JSON.stringify(step)) : console.log(wordsOf(step)),
  ).run();
  const milliseconds = outages.reduce((sum, one) => sum + one, 0);
  if (flags.json) return console.log(JSON.stringify({ step: "done", ...wanted, reversible, milliseconds }));
  console.log(
    outages.length === 0
      ? "done       the node was not moved"
      : `done       the node was away for ${milliseconds} ms`,
  );
}

type Plan = {
  readonly imageId: string;
  readonly userData: string;
  /** The launch template's version; none while it has to be made. */
  readonly version?: string;
  /** What the group goes back to while nothing was handed over. */
  readonly from: string;
  readonly state: "going" | "back";
  /** It goes on with one that was cut off, or stopped. */
  readonly resumed: boolean;
  /** Of one that was cut off; else it is still to be found out. */
  readonly wasReversible: boolean;
};

/** To another image, or on to it. */
function forwardPlan({ template, last, members }: NodeGroup, flags: Flags): Plan {
  const imageId = flags.image ?? "";
  const userData = flags.config === undefined ? template.userData : configurationIn(flags.config, flags);
  const isThere = template.imageId === imageId && template.userData === userData;
  const unfinished = last?.state === "going" ? last : undefined;
  const resumed = isThere && unfinished?.to === template.version;
  const straggler = members.find(({ version }) => version !== template.version)?.version;
  return {
    imageId,
    userData,
    ...(isThere && { version: template.version }),
    // What was not finished is nothing to come back to.
    from: unfinished?.from ?? (isThere ? straggler : undefined) ?? template.version,
    state: "going",
    resumed,
    wasReversible: !resumed || unfinished.reversible,
  };
}

/** Back to where the last one began, or on to there. */
async function backPlan(target: Target, { name, template, last }: NodeGroup): Promise<Plan> {
  if (last === undefined || last.from === last.to)
    throw wrongUse(`the group ${name} has nothing to take back`, "name the image with --image");
  const goesBack = last.state === "back";
  const version = goesBack ? last.to : last.from;
  const { imageId, userData } = await templateVersion(target, template.templateId, version);
  return {
    imageId,
    userData,
    version,
    from: goesBack ? last.from : last.to,
    state: "back",
    resumed: last.state !== "done",
    // What was not finished may have changed the database, and not have told the record.
    wasReversible: last.state === "done" || last.reversible,
  };
}

async function versionOf(
  target: Target,
  { template }: NodeGroup,
  { imageId, userData }: Plan,
): Promise<string> {
  const wanted = { source: template.version, imageId, userData };
  return (await makeVersion(target, { LaunchTemplateId: template.templateId }, wanted)).version;
}

async function eclairOf(target: Target, imageId: string, { node }: ClusterRecord): Promise<string> {
  const version = (await requireImage(target, imageId, node.chain)).get("eclair-ami:eclair");
  if (version !== undefined) return version;
  throw wrongUse(
    `${imageId} does not say which Eclair it holds`,
    "name an image that `eclair-ami bake` made",
  );
}

function configurationIn(file: string, { cluster }: Flags): string {
  const { configuration, text } = readConfiguration(file);
  if (configuration.cluster === cluster) return userDataOf(text);
  throw wrongUse(`${file} is of the cluster ${configuration.cluster}`, `name one of ${cluster}`);
}

const words: { readonly [S in Step["step"]]: (step: Extract<Step, { step: S }>) => string } = {
  version: ({ version }) => `group      launches version ${version} from now on`,
  ending: ({ instanceId }) => `ending     ${instanceId}, which is not active`,
  launched: ({ instanceId }) => `launched   ${instanceId}`,
  ready: ({ instanceId }) => `ready      ${instanceId}`,
  "handing-over": ({ from, to }) => `handing    ${from} hands over to ${to}`,
  serving: ({ instanceId, milliseconds }) => `serving    ${instanceId}, after ${milliseconds} ms`,
};

const wordsOf = (step: Step): string => (words[step.step] as (step: Step) => string)(step);

function minutes(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw wrongUse(`--within ${text} is no number of minutes`, "pass a whole number, at least 1");
}

function wrongUse(cause: string, remedy: string): Failure {
  return new Failure({ code: "replace.use", doing: "reading what is asked", cause, remedy, exit: 2 });
}
