import Table from "cli-table3";
import type { Command } from "commander";
import { exitCodes } from "../core/failure.ts";
import { preconditions } from "../setup/preconditions.mjs";
import { steps } from "../setup/steps.mjs";

/** The checks of set-up, as a table, at any time. */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("what this machine offers, and what set-up has done")
    .option("--json", "as JSON", false)
    .action(({ json }: { json: boolean }) => {
      const checks = [
        ...preconditions.map((item) => {
          const problem = item.missing();
          return {
            check: item.title,
            for: item.needed,
            met: problem === undefined,
            note: problem === undefined ? "" : `${problem}: ${item.remedy}`,
          };
        }),
        ...steps.map((step) => {
          const met = step.done();
          return { check: step.title, for: step.needed, met, note: met ? "" : "run `npm start`" };
        }),
      ];
      if (json) console.log(JSON.stringify(checks));
      else print(checks);
      if (checks.some((check) => !check.met)) process.exitCode = exitCodes.failed;
    });
}

function print(checks: readonly { check: string; for: string; met: boolean; note: string }[]): void {
  const table = new Table({ head: ["", "check", "needed by", ""], style: { head: [], border: [] } });
  for (const item of checks)
    table.push([
      item.met ? "ok" : "NO",
      item.check,
      item.for === "lab" ? "the lab" : "everything",
      item.note,
    ]);
  console.log(table.toString());
}
