import { readFileSync } from "node:fs";
import { describeProblems, parseConfiguration } from "../../bootstrap/config/parse.ts";
import type { NodeConfiguration } from "../../bootstrap/config/node.ts";
import { Failure, messageOf } from "../core/failure.ts";

/** A node's configuration and the text it came from, checked as an instance would. */
export function readConfiguration(file: string): { configuration: NodeConfiguration; text: string } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw refused(file, messageOf(error), "name a file that can be read; `eclair-ami config new` writes one");
  }
  const { configuration, problems } = parseConfiguration(text);
  if (problems !== undefined) throw refused(file, describeProblems(problems), "correct these places");
  if (configuration.kind !== "Node")
    throw refused(file, `it is of the kind ${configuration.kind}`, "name a configuration of the kind Node");
  return { configuration, text };
}

function refused(file: string, cause: string, remedy: string): Failure {
  return new Failure({ code: "configuration.invalid", doing: `reading ${file}`, cause, remedy, exit: 2 });
}
