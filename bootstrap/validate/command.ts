import { z } from "zod";
import { validationKinds } from "./findings.ts";
import { validate } from "./validate.ts";

const Options = z.strictObject({ as: z.enum(validationKinds), root: z.string() });

/** `eclair-bootstrap validate`: prints every finding. The exit status is 1 when there is a finding. */
export async function validateCommand(options: unknown): Promise<void> {
  const { as: kind, root } = Options.parse(options);
  const findings = await validate({ root, kind });
  for (const { check, path, problem } of findings) console.log(`${check}: ${path}: ${problem}`);
  if (findings.length === 0) return console.log("validate: nothing found");
  console.log(`validate: ${findings.length} found`);
  process.exitCode = 1;
}
