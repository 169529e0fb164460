import { readFileSync } from "node:fs";
import type { ClusterSetup } from "../../bootstrap/config/cluster-setup.ts";
import { describeProblems, parseConfiguration, type Configuration } from "../../bootstrap/config/parse.ts";
import type { NodeConfiguration } from "../../bootstrap/config/node.ts";
import { Failure, messageOf } from "../core/failure.ts";

/** A node's configuration and the text it came from, checked as an instance would. */
export function readConfiguration(file: string): { configuration: NodeConfiguration; text: string } {
  const { configuration, text } = readDocument(file);
  if (configuration.kind === "Node") return { configuration, text };
  throw refused(file, `it is of the kind ${configuration.kind}`, "name a configuration of the kind Node");
}

/** What is known of a cluster before, and beside, its nodes. */
export function readClusterSetup(file: string): ClusterSetup {
  const { configuration } = readDocument(file);
  if (configuration.kind !== "ClusterSetup")
    throw refused(
      file,
      `it is of the kind ${configuration.kind}`,
      "name a document of the kind ClusterSetup; `eclair-ami config new --kind ClusterSetup` writes one",
    );
  if (configuration.task !== undefined)
    throw refused(file, "it has a task", "take `task` out: the verb says what is to be done");
  return configuration;
}

/** Any document of this project, checked as an instance would. */
export function readDocument(file: string): { configuration: Configuration; text: string } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw refused(file, messageOf(error), "name a file that can be read; `eclair-ami config new` writes one");
  }
  const { configuration, problems } = parseConfiguration(text);
  if (problems !== undefined) throw refused(file, describeProblems(problems), "correct these places");
  return { configuration, text };
}

function refused(file: string, cause: string, remedy: string): Failure {
  return new Failure({ code: "configuration.invalid", doing: `reading ${file}`, cause, remedy, exit: 2 });
}
