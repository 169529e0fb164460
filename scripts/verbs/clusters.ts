import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import type { ClusterSetup, SetupTask } from "../../bootstrap/config/cluster-setup.ts";
import type { SetupResult } from "../../bootstrap/setup/result.ts";
import { Failure } from "../core/failure.ts";
import { runSetup, type SetupRun } from "../nodes/cluster-setup.ts";
import { readClusterSetup } from "../nodes/configuration.ts";
import { callerOf } from "../target/caller.ts";
import type { Target } from "../target/target.ts";
import { interruptSignal } from "../ui/interrupt.ts";
import { targetOf, withTarget, type TargetFlags } from "./target-flags.ts";

type SetupFlags = TargetFlags & {
  readonly image: string;
  readonly config: string;
  readonly template?: string;
  readonly instanceProfile?: string;
  readonly json: boolean;
};

/** What is done to a cluster as a whole, each by a short-lived instance: init, adopt, verify, database repoint. */
export function addClusters(program: Command): void {
  const asSetup = (command: Command) =>
    withTarget(command)
      .requiredOption("--image <id>", "the image whose instance does it")
      .requiredOption("--config <file>", "a document of the kind ClusterSetup")
      .option("--template <name>", "launch template, by name or id; in the lab, the cluster's own")
      .option(
        "--instance-profile <name>",
        "the profile that may read the owner's secret; CLUSTER-setup otherwise",
      )
      .option("--json", "the result as JSON", false);

  asSetup(program.command("init"))
    .description("make a new node exist: roles, fence and binding of its database, and its record")
    .option("--make-secrets", "make the node's secrets that are missing, on that instance", false)
    .action((flags: SetupFlags & { readonly makeSecrets: boolean }) =>
      setUp(flags, { action: "init", makeSecrets: flags.makeSecrets, walletKept: false }),
    );
  asSetup(program.command("adopt"))
    .description("take over a database that an Eclair of yours uses already")
    .option("--wallet-kept", "the wallet of the bitcoind that it used is backed up, and kept", false)
    .action((flags: SetupFlags & { readonly walletKept: boolean }) =>
      setUp(flags, { action: "adopt", makeSecrets: false, walletKept: flags.walletKept }),
    );
  asSetup(program.command("verify"))
    .description("look at secrets, record, database and fence as a node would; changes nothing")
    .action((flags: SetupFlags) => setUp(flags, { action: "verify", makeSecrets: false, walletKept: false }));
  asSetup(program.command("database").description("a node's database").command("repoint"))
    .description("make another database, or a restored one, the node's; asks for the node id")
    .requiredOption("--reason <text>", "why, for the cluster's history")
    .option("--node-id <id>", "the node id, in place of typing it")
    .action(repoint);
}

async function setUp(flags: SetupFlags, task: Omit<SetupTask, "id">): Promise<void> {
  const target = targetOf(flags);
  const setup = readClusterSetup(flags.config);
  const result = await runSetup(target, setup, task, runOf(target, setup, flags), interruptSignal());
  show(result, flags.json);
}

async function repoint(
  flags: SetupFlags & { readonly reason: string; readonly nodeId?: string },
): Promise<void> {
  const target = targetOf(flags);
  const setup = readClusterSetup(flags.config);
  const run = runOf(target, setup, flags);
  const signal = interruptSignal();
  const none = { makeSecrets: false, walletKept: false };
  const seen = await runSetup(target, setup, { action: "compare", ...none }, run, signal);
  if (!flags.json) showFacts(seen);
  const typed = flags.nodeId ?? (await askForNodeId(setup));
  if (typed !== seen.nodeId)
    throw new Failure({
      code: "repoint.node-id",
      doing: `repointing ${setup.cluster}`,
      cause: `${typed === "" ? "nothing" : typed} was given for the node id, and the node is ${seen.nodeId}`,
      remedy: "give the node id of the node that you mean; nothing was changed",
      exit: 2,
    });
  const task = { action: "repoint", ...none, reason: flags.reason, by: await callerOf(target) } as const;
  show(await runSetup(target, setup, task, run, signal), flags.json);
}

async function askForNodeId({ cluster }: ClusterSetup): Promise<string> {
  if (!process.stdin.isTTY)
    throw new Failure({
      code: "repoint.node-id",
      doing: `repointing ${cluster}`,
      cause: "the node id must be typed, and this is no terminal",
      remedy: "pass it with --node-id; nothing was changed",
      exit: 2,
    });
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question("Type the node id to go on: ")).trim();
  } finally {
    terminal.close();
  }
}

function runOf(target: Target, { cluster }: ClusterSetup, flags: SetupFlags): SetupRun {
  const template = flags.template ?? (target.name === "lab" ? cluster : undefined);
  if (template === undefined)
    throw new Failure({
      code: "launch.template",
      doing: "launching an instance",
      cause: "no launch template is named",
      remedy: "pass --template: it brings subnet, security groups and instance type",
      exit: 2,
    });
  return { imageId: flags.image, template, profile: flags.instanceProfile ?? `${cluster}-setup` };
}

function show(result: SetupResult, json: boolean): void {
  if (json) return console.log(JSON.stringify(result));
  showFacts(result);
  for (const what of result.changed) console.log(`made       ${what}`);
  if (result.changed.length === 0) console.log("changed    nothing: all of it is there");
  console.log(`node       ${result.nodeId ?? ""}`);
  if (result.databaseSecret !== undefined) console.log(`login      ${result.databaseSecret}`);
}

function showFacts({ facts }: SetupResult): void {
  for (const [name, value] of facts) console.log(`${name}: ${value}`);
}
