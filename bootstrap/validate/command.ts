import { z } from "zod";
import { validate } from "./validate.ts";

const Options = z.strictObject({ stage: z.enum(["image", "instance"]), root: z.string() });

/** Prints every finding, and leaves with 1 when there is one. */
export async function validateCommand(given: unknown): Promise<void> {
  const findings = await validate(Options.parse(given));
  for (const { check, path, problem } of findings) console.log(`${check}: ${path}: ${problem}`);
  if (findings.length === 0) return console.log("validate: nothing found");
  console.log(`validate: ${findings.length} found`);
  process.exitCode = 1;
}
