import { readFile } from "node:fs/promises";
import { parseDocument } from "../../bootstrap/contract/configuration/parse.ts";
import { describeProblems } from "../../bootstrap/contract/configuration/problems.ts";
import { EclairAmiError, messageOf } from "../../bootstrap/contract/errors.ts";
import { StackDocument } from "../../infra/stack-document.ts";

/**
 * Reads stack.yaml.
 * @throws EclairAmiError `stack.document-invalid` with all problems
 */
export async function readStackDocument(file: string): Promise<StackDocument> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw invalid(file, messageOf(error));
  });
  const { configuration, problems } = parseDocument(text, { Stack: StackDocument });
  if (problems !== undefined) throw invalid(file, describeProblems(problems, file));
  return configuration;
}

function invalid(file: string, message: string): EclairAmiError {
  return new EclairAmiError({
    code: "stack.document-invalid",
    operation: `reading ${file}`,
    message,
    remedy:
      "correct the document; `eclair-ami stack new` prints an example, and `stack schema` its JSON Schema",
    exitCode: 2,
  });
}
