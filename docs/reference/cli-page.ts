import type { Command, Option } from "commander";
import { defaultStateFolder } from "../../scripts/lab/paths.ts";
import { createProgram } from "../../scripts/program.ts";
import { code, pageHead, table } from "./markdown.ts";

export async function cliPage(): Promise<string> {
  const introduction = `\`./eclair-ami COMMAND --help\` prints the same text. Every command ends with exit code 0 on success, 1 after an error, 2 for
invalid input and 130 after an interrupt.`;
  const program = await createProgram();
  const sections = program.commands.flatMap((command) => sectionsOf(command, "eclair-ami"));
  return `${pageHead("Command line", introduction)}\n${sections.join("\n\n")}\n`;
}

/** A section for each command that does something: a command with subcommands has one section for each of these. */
function sectionsOf(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((child) => sectionsOf(child, name));
  const positional = command.registeredArguments.map((argument) =>
    argument.required ? ` <${argument.name()}>` : ` [${argument.name()}]`,
  );
  const options = command.options.filter(({ hidden }) => !hidden);
  return [
    [
      `## ${name}${positional.join("")}`,
      `${capitalised(command.description())}.`,
      ...(options.length === 0 ? [] : [table(["option", "meaning", "default"], options.map(optionRow))]),
    ].join("\n\n"),
  ];
}

function optionRow(option: Option): string[] {
  const { flags, description, argChoices, envVar, mandatory } = option;
  const notes = [
    description,
    ...(argChoices === undefined ? [] : [`one of ${argChoices.map(code).join(", ")}`]),
    ...(envVar === undefined ? [] : [`environment variable ${code(envVar)}`]),
  ];
  return [code(flags), notes.filter(Boolean).join("; "), mandatory ? "required" : defaultText(option)];
}

/** Defaults that depend on the machine or the time are described, not printed. */
function defaultText({ defaultValue, long }: Option): string {
  const value: unknown = defaultValue;
  if (value === defaultStateFolder()) return code(".lab");
  if (long === "--arch") return "of this machine";
  if (value instanceof Date) return "now";
  if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) return "-";
  return code(typeof value === "string" ? value : JSON.stringify(value));
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
