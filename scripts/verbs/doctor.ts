import type { Command } from "commander";
import { preconditions } from "../machine/preconditions.mjs";
import { installCommand, installSteps } from "../machine/steps.mjs";
import { exitCodes } from "../ui/errors.ts";
import { createTable } from "../ui/table.ts";

export type DoctorCheck = {
  readonly check: string;
  readonly neededBy: keyof typeof neededByNames;
  readonly met: boolean;
  /** What is wrong and what to do; empty when the check is met. */
  readonly note: string;
};

const neededByNames = { always: "everything", lab: "the lab", tests: "the tests" } as const;

/** Shows the preconditions and the prerequisites of this machine. */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("check the preconditions and the installed prerequisites of this machine")
    .option("--json", "print JSON", false)
    .action(({ json }: { json: boolean }) => {
      const checks = [...preconditions.map(checkPrecondition), ...installSteps.map(checkStep)];
      if (json) console.log(JSON.stringify(checks));
      else print(checks);
      if (checks.some((check) => !check.met)) process.exitCode = exitCodes.failed;
    });
}

export function checkPrecondition(item: (typeof preconditions)[number]): DoctorCheck {
  const problem = item.problem();
  return {
    check: item.title,
    neededBy: item.neededBy,
    met: problem === undefined,
    note: problem === undefined ? "" : `${problem}: ${item.remedy}`,
  };
}

export function checkStep(step: Omit<(typeof installSteps)[number], "run">): DoctorCheck {
  const met = step.isDone();
  return {
    check: step.title,
    neededBy: step.neededBy,
    met,
    note: met ? "" : `not installed: run \`${installCommand(step)}\``,
  };
}

function print(checks: readonly DoctorCheck[]): void {
  const table = createTable(["", "check", "needed by", "note"]);
  for (const { met, check, neededBy, note } of checks)
    table.push([met ? "ok" : "NO", check, neededByNames[neededBy], note]);
  console.log(table.toString());
}
