import type { Command } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { plannedOutages, requireClusterBudget } from "../../cluster/budget/require.ts";
import { destroy as destroyCluster } from "../../stack/destroy.ts";
import { readStackDocument } from "../../stack/read-document.ts";
import { stackStatus } from "../../stack/status.ts";
import { ask } from "../../ui/question.ts";
import { createTable } from "../../ui/table.ts";
import { ignoreBudgetText, warnAbout } from "../budget-flag.ts";
import { withTarget, type TargetFlags } from "../target-flags.ts";
import { stackTarget } from "./stack-target.ts";

type DestroyFlags = TargetFlags & {
  readonly confirm?: string;
  readonly ignoreBudget: boolean;
  readonly json: boolean;
};

export function addDestroy(stack: Command): void {
  withTarget(stack.command("destroy <file>"))
    .description(
      "end the node and delete what can be created again; keeps and lists what holds money or state",
    )
    .option("--confirm <cluster>", "the name of the cluster, in place of the question")
    .option("--ignore-budget", ignoreBudgetText, false)
    .option("--json", "print JSON", false)
    .action(destroy);
  withTarget(stack.command("status <file>"))
    .description("show the stacks, and check what CloudFormation cannot express; exit code 1 for a problem")
    .option("--json", "print JSON", false)
    .action(status);
}

async function destroy(file: string, flags: DestroyFlags): Promise<void> {
  const document = await readStackDocument(file);
  const target = stackTarget(flags, document);
  const { cluster } = document;
  if (!flags.ignoreBudget)
    warnAbout(
      await requireClusterBudget(
        target,
        { cluster, table: document.table.name },
        plannedOutages.stackDeletion,
      ),
    );
  if ((flags.confirm ?? (await askForCluster(cluster))) !== cluster)
    throw new EclairAmiError({
      code: "stack.declined",
      operation: `deleting the stack of ${cluster}`,
      message: "another name was given than that of the cluster",
      remedy: `give the name ${cluster}; nothing was changed`,
      exitCode: 2,
    });
  const remaining = await destroyCluster(target, cluster);
  if (flags.json) return console.log(JSON.stringify({ remaining }));
  console.log(`The node of ${cluster} has no instance any more. These resources remain, and cost money:`);
  for (const { type, id } of remaining) console.log(`  ${type} ${id}`);
  console.log(
    `To run the same node again, with its database and addresses:\n  eclair-ami stack deploy ${file} --image AMI --node-config NODE-CONFIG`,
  );
}

async function askForCluster(cluster: string): Promise<string> {
  return await ask(
    `This ends the node. Type the name of the cluster (${cluster}) to continue: `,
    new EclairAmiError({
      code: "stack.not-confirmed",
      operation: `deleting the stack of ${cluster}`,
      message: "the name of the cluster must be typed, and standard input is not a terminal",
      remedy: "pass the name with --confirm; nothing was changed",
      exitCode: 2,
    }),
  );
}

async function status(file: string, flags: TargetFlags & { readonly json: boolean }): Promise<void> {
  const document = await readStackDocument(file);
  const stacks = await stackStatus(stackTarget(flags, document), document);
  if (flags.json) console.log(JSON.stringify({ stacks }));
  else {
    const table = createTable(["stack", "state", "problems"]);
    for (const { stackName, state, problems } of stacks)
      table.push([stackName, state, problems.join("\n") || "none"]);
    console.log(table.toString());
  }
  const problems = stacks.flatMap(({ stackName, problems: found }) =>
    found.map((problem) => `${stackName}: ${problem}`),
  );
  if (problems.length === 0) return;
  throw new EclairAmiError({
    code: "stack.unhealthy",
    operation: `checking the stacks of ${document.cluster}`,
    message: problems.join("; "),
    remedy: "run `eclair-ami stack deploy`, which corrects these settings",
  });
}
