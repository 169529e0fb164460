import { readFile } from "node:fs/promises";
import { describeProblems } from "../../../bootstrap/contract/configuration/problems.ts";
import { parseDocument } from "../../../bootstrap/contract/configuration/parse.ts";
import { EclairAmiError, messageOf } from "../../../bootstrap/contract/errors.ts";
import type { Target } from "../../target/target.ts";
import { Release } from "./schema.ts";
import { contradictions } from "./contradictions.ts";

/**
 * Reads release.yaml.
 * @param target where it is used; undefined to print policies
 * @throws EclairAmiError `release.document-invalid` with all problems
 */
export async function readRelease(file: string, target?: Target["name"]): Promise<Release> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw invalid(file, messageOf(error));
  });
  const { configuration, problems } = parseDocument(text, { Release });
  if (problems !== undefined) throw invalid(file, describeProblems(problems, file));
  const found = contradictions(configuration, target);
  if (found.length > 0) throw invalid(file, found.map((one) => `${file}: ${one}`).join("\n"));
  return configuration;
}

function invalid(file: string, message: string): EclairAmiError {
  return new EclairAmiError({
    code: "release.document-invalid",
    operation: `reading ${file}`,
    message,
    remedy: "correct the document; `eclair-ami release schema` prints its JSON Schema",
    exitCode: 2,
  });
}
