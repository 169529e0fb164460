import type { Command } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { plannedOutages, requireClusterBudget } from "../../cluster/budget/require.ts";
import type { ChangeSet } from "../../stack/cloudformation/change-set.ts";
import { deploy as deployStacks } from "../../stack/deploy.ts";
import { describeChanges } from "../../stack/cloudformation/describe-changes.ts";
import { diff as diffStacks } from "../../stack/diff.ts";
import { readStackDocument } from "../../stack/read-document.ts";
import { ask } from "../../ui/question.ts";
import { ignoreBudgetText, warnAbout } from "../budget-flag.ts";
import { imageOf, withImage, type ImageFlags } from "../image-flags.ts";
import { withTarget, type TargetFlags } from "../target-flags.ts";
import { stackTarget } from "./stack-target.ts";

type DeployFlags = ImageFlags & {
  readonly nodeConfig?: string;
  readonly replace?: readonly string[];
  readonly ignoreBudget: boolean;
  readonly yes: boolean;
};

export function addDeploy(stack: Command): void {
  withTarget(stack.command("diff <file>"))
    .description("show what `stack deploy` would change; changes nothing")
    .action(diff);
  withImage(withTarget(stack.command("deploy <file>")), "the image of the first instances")
    .description("create or change the stacks; shows the changes first")
    .option("--node-config <file>", "with an image: the node's configuration; starts the first two instances")
    .option("--replace <resource...>", "accept that these protected resources are replaced or removed")
    .option("--ignore-budget", ignoreBudgetText, false)
    .option("--yes", "change the stacks without a question", false)
    .action(deploy);
}

async function diff(file: string, flags: TargetFlags): Promise<void> {
  const document = await readStackDocument(file);
  const { changeSets, unknown } = await diffStacks(stackTarget(flags, document), document);
  for (const changeSet of changeSets) console.log(describeChanges(changeSet));
  for (const stackName of unknown) console.log(`${stackName}: new, after the stacks before it`);
  if (changeSets.length + unknown.length === 0) console.log("no changes");
}

async function deploy(file: string, flags: DeployFlags): Promise<void> {
  const document = await readStackDocument(file);
  const target = stackTarget(flags, document);
  const { nodeConfig: configurationFile, image, channel } = flags;
  if ((configurationFile === undefined) !== (image === undefined && channel === undefined))
    throw imageAndConfiguration();
  const first =
    configurationFile === undefined
      ? undefined
      : {
          configurationFile,
          image: await imageOf(
            target,
            { ...flags, arch: flags.arch ?? document.instance.architecture },
            { name: document.cluster, version: "$Default" },
          ),
        };
  await deployStacks(target, {
    document,
    first,
    allowed: flags.replace ?? [],
    confirm: async (changeSet) => {
      console.log(describeChanges(changeSet));
      const cluster = { cluster: document.cluster, table: document.table.name };
      if (!flags.ignoreBudget)
        warnAbout(await requireClusterBudget(target, cluster, plannedOutages.stackChange));
      return flags.yes || (await confirm(changeSet));
    },
    report: (line) => console.log(line),
  });
}

export const imageAndConfiguration = () =>
  new EclairAmiError({
    code: "launch.image-missing",
    operation: "choosing what the first instances run",
    message: "an image and --node-config belong together",
    remedy: "pass both for the first instances of a node, and none of them otherwise",
    exitCode: 2,
  });

async function confirm(changeSet: ChangeSet): Promise<boolean> {
  const answer = await ask(
    "Make these changes? [y/N] ",
    new EclairAmiError({
      code: "stack.not-confirmed",
      operation: `deploying ${changeSet.stackName}`,
      message: "the changes must be confirmed, and standard input is not a terminal",
      remedy: "read the changes above, and pass --yes",
      exitCode: 2,
    }),
  );
  return /^y(es)?$/i.test(answer);
}
