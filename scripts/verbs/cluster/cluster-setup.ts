import type { Command } from "commander";
import type { ClusterSetup, SetupTask } from "../../../bootstrap/contract/configuration/cluster-setup.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { SetupResult } from "../../../bootstrap/contract/reports/setup.ts";
import { runClusterSetup } from "../../cluster/cluster-setup.ts";
import { readClusterSetup } from "../../cluster/configuration/read.ts";
import { callerOf } from "../../target/caller.ts";
import { interruptSignal } from "../../ui/interrupt.ts";
import { ask } from "../../ui/question.ts";
import { targetOf } from "../target-flags.ts";
import { setupInstance, withSetup, type SetupFlags } from "./setup-flags.ts";

const noConsent = { createSecrets: false, walletRetained: false };

/** The actions of a cluster setup, each on a short-lived instance. */
export function addClusterSetup(program: Command): void {
  withSetup(program.command("init"))
    .description("create a new node: the roles, fence and binding of its database, and its cluster record")
    .option("--create-secrets", "create the node's secrets that do not exist, on that instance", false)
    .action((flags: SetupFlags & { readonly createSecrets: boolean }) =>
      setUp(flags, { ...noConsent, action: "init", createSecrets: flags.createSecrets }),
    );
  withSetup(program.command("adopt"))
    .description("take over a database that an Eclair of yours already uses")
    .option(
      "--confirm-wallet-retained",
      "the wallet of that Eclair's bitcoind is backed up, and you keep it",
      false,
    )
    .action((flags: SetupFlags & { readonly confirmWalletRetained: boolean }) =>
      setUp(flags, { ...noConsent, action: "adopt", walletRetained: flags.confirmWalletRetained }),
    );
  withSetup(program.command("verify"))
    .description("check secrets, record, database and fence as a node does; changes nothing")
    .action((flags: SetupFlags) => setUp(flags, { ...noConsent, action: "verify" }));
  const database = program.command("database").description("the database of a node");
  withSetup(database.command("repoint"))
    .description("move the node to another or a restored database; requires the node id")
    .requiredOption("--reason <text>", "the reason, for the history of the cluster")
    .option("--node-id <id>", "the node id; without it, the command asks for it")
    .action(repoint);
  withSetup(database.command("confirm-upgrade"))
    .description("accept the node's database again after a major upgrade of PostgreSQL")
    .requiredOption("--reason <text>", "the reason, for the history of the cluster")
    .action(async (flags: SetupFlags & { readonly reason: string }) =>
      setUp(flags, {
        ...noConsent,
        action: "confirm-upgrade",
        reason: flags.reason,
        requestedBy: await callerOf(targetOf(flags)),
      }),
    );
}

async function setUp(flags: SetupFlags, task: Omit<SetupTask, "id">): Promise<void> {
  const target = targetOf(flags);
  const setup = await readClusterSetup(flags.config);
  const instance = await setupInstance(target, setup, flags);
  print(await runClusterSetup(target, setup, task, instance, interruptSignal()), flags.json);
}

async function repoint(
  flags: SetupFlags & { readonly reason: string; readonly nodeId?: string },
): Promise<void> {
  const target = targetOf(flags);
  const setup = await readClusterSetup(flags.config);
  const instance = await setupInstance(target, setup, flags);
  const signal = interruptSignal();
  const comparison = await runClusterSetup(
    target,
    setup,
    { ...noConsent, action: "compare" },
    instance,
    signal,
  );
  if (!flags.json) printFindings(comparison);
  const given = flags.nodeId ?? (await askForNodeId(setup));
  if (given !== comparison.nodeId)
    throw new EclairAmiError({
      code: "repoint.node-id-mismatch",
      operation: `repointing ${setup.cluster}`,
      message: `the given node id is ${given === "" ? "empty" : given}, and the node is ${comparison.nodeId}`,
      remedy: "check that this is the intended cluster, and pass its node id; nothing was changed",
      exitCode: 2,
    });
  const task = {
    ...noConsent,
    action: "repoint",
    reason: flags.reason,
    requestedBy: await callerOf(target),
  } as const;
  print(await runClusterSetup(target, setup, task, instance, signal), flags.json);
}

async function askForNodeId({ cluster }: ClusterSetup): Promise<string> {
  return await ask(
    "Type the node id to continue: ",
    new EclairAmiError({
      code: "repoint.node-id-mismatch",
      operation: `repointing ${cluster}`,
      message: "the node id must be typed, and standard input is not a terminal",
      remedy: "pass the node id with --node-id; nothing was changed",
      exitCode: 2,
    }),
  );
}

function print(result: SetupResult, json: boolean): void {
  if (json) return console.log(JSON.stringify(result));
  printFindings(result);
  for (const created of result.changed) console.log(`created    ${created}`);
  if (result.changed.length === 0) console.log("created    nothing: everything exists");
  console.log(`node       ${result.nodeId ?? ""}`);
  if (result.databaseSecretArn !== undefined) console.log(`login      ${result.databaseSecretArn}`);
}

function printFindings({ findings }: SetupResult): void {
  for (const { name, value } of findings) console.log(`${name}: ${value}`);
}
