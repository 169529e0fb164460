import { CommanderError } from "commander";
import { EclairAmiError } from "../bootstrap/contract/errors.ts";
import { createProgram } from "./program.ts";
import { awsError } from "./target/aws-errors.ts";
import { describeError, exitCodes } from "./ui/errors.ts";
import { emit } from "./ui/tasks.ts";

const program = await createProgram(process.argv[2]);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Prints an error, as text or with `--json` as an event. @returns the exit code */
function report(thrown: unknown): number {
  const error = awsError(thrown) ?? thrown;
  // Commander has printed its own errors already; `--help` and `--version` end with 0.
  if (error instanceof CommanderError)
    return error.exitCode === 0 ? exitCodes.succeeded : exitCodes.invalidInput;
  if (wantsJson() && error instanceof EclairAmiError) emit({ event: "command.failed", error });
  else console.error(describeError(error));
  return error instanceof EclairAmiError ? error.exitCode : exitCodes.failed;
}

/** Whether `--json` was given as a switch. In `drill`, `--json FILE` names the file of the results. */
function wantsJson(): boolean {
  const verb = program.commands.find((command) => command.name() === process.argv[2]);
  const flag = verb?.options.find(({ long }) => long === "--json");
  return process.argv.includes("--json") && flag?.required !== true;
}
