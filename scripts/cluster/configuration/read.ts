import { readFileSync } from "node:fs";
import type { ClusterSetup } from "../../../bootstrap/contract/configuration/cluster-setup.ts";
import {
  describeProblems,
  parseConfiguration,
  type Configuration,
} from "../../../bootstrap/contract/configuration/parse.ts";
import type { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";
import { EclairAmiError, messageOf } from "../../../bootstrap/contract/errors.ts";

/** The configuration of a node and its text, with the checks that an instance makes. */
export function readConfiguration(file: string): { configuration: NodeConfiguration; text: string } {
  const { configuration, text } = readDocument(file);
  if (configuration.kind === "Node") return { configuration, text };
  throw refused(file, `the document has the kind ${configuration.kind}`, "name a document of the kind Node");
}

/** A document of the kind ClusterSetup. */
export function readClusterSetup(file: string): ClusterSetup {
  const { configuration } = readDocument(file);
  if (configuration.kind !== "ClusterSetup")
    throw refused(
      file,
      `the document has the kind ${configuration.kind}`,
      "name a document of the kind ClusterSetup; `eclair-ami config new --kind ClusterSetup` writes one",
    );
  if (configuration.task !== undefined)
    throw refused(file, "the document contains a task", "remove `task`: the command adds it");
  return configuration;
}

/** A document of any kind, with the checks that an instance makes. */
export function readDocument(file: string): { configuration: Configuration; text: string } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw refused(
      file,
      messageOf(error),
      "name a file that exists and can be read; `eclair-ami config new` writes one",
      error,
    );
  }
  const { configuration, problems } = parseConfiguration(text);
  if (problems !== undefined)
    throw refused(file, describeProblems(problems, file), "correct each line that the message names");
  return { configuration, text };
}

function refused(file: string, message: string, remedy: string, cause?: unknown): EclairAmiError {
  return new EclairAmiError(
    { code: "configuration.invalid", operation: `reading ${file}`, message, remedy, exitCode: 2 },
    { cause },
  );
}
