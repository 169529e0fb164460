import { Command, CommanderError } from "commander";
import { describeError, exitCodes, Failure } from "./core/failure.ts";
import packageJson from "../package.json" with { type: "json" };
import { awsFailure } from "./target/aws-failure.ts";
import { addArtifacts } from "./verbs/artifacts.ts";
import { addBake } from "./verbs/bake.ts";
import { addClusters } from "./verbs/clusters.ts";
import { addConfig } from "./verbs/config.ts";
import { addDoctor } from "./verbs/doctor.ts";
import { addImages } from "./verbs/images.ts";
import { addLab } from "./verbs/lab.ts";
import { addNodes } from "./verbs/nodes.ts";
import { addPolicy } from "./verbs/policy.ts";
import { addReplace } from "./verbs/replace.ts";
import { addStart } from "./verbs/start.ts";
import { addDrill } from "./verbs/drill.ts";
import { addSwitchover } from "./verbs/switchover.ts";

const program = new Command("eclair-ami")
  .description("bakes and runs Eclair Lightning nodes on AWS, or on the lab of this machine")
  .version(packageJson.version)
  .exitOverride()
  .enablePositionalOptions()
  .showHelpAfterError("(--help shows what there is)");

for (const add of [
  addStart,
  addBake,
  addImages,
  addConfig,
  addClusters,
  addNodes,
  addSwitchover,
  addReplace,
  addDrill,
  addPolicy,
  addArtifacts,
  addLab,
  addDoctor,
])
  add(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Tells a person, or a program that asked for JSON, what went wrong; gives the exit code. */
function report(thrown: unknown): number {
  const error = awsFailure(thrown) ?? thrown;
  // Commander has said it already; its help and version end with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUse;
  if (wantsJson() && error instanceof Failure)
    console.log(JSON.stringify({ event: "error", ...error.facts }));
  else console.error(describeError(error));
  return error instanceof Failure ? (error.facts.exit ?? exitCodes.failed) : exitCodes.failed;
}

/** Whether the verb has `--json` as a switch, and it was given; where it takes a file it says nothing of errors. */
function wantsJson(): boolean {
  const verb = program.commands.find((command) => command.name() === process.argv[2]);
  const flag = verb?.options.find(({ long }) => long === "--json");
  return process.argv.includes("--json") && flag?.required !== true;
}
