import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { root } from "../../../scripts/machine/paths.mjs";

const program = `
import { createTable } from "${join(root, "scripts/ui/table.ts")}";
const table = createTable(["name", "state"]);
table.push(["node", "active"]);
console.log(String(process.stdout.isTTY === true));
console.log(table.toString());
`;

// cli-table3 decides about colours when it is loaded, so each case needs its own process.
async function output(terminal: boolean, env: Readonly<Record<string, string>>): Promise<string> {
  const node = [process.execPath, "--input-type=module", "--eval", program];
  const quoted = node.map((word) => `'${word}'`).join(" ");
  const [command = "", ...args] = terminal ? ["script", "-qec", quoted, "/dev/null"] : node;
  const { stdout } = await execa(command, args, {
    env: { PATH: process.env["PATH"], TERM: "xterm-256color", COLORTERM: "truecolor", ...env },
    extendEnv: false,
    stdin: "ignore",
  });
  return stdout.replaceAll("\r", "");
}

const hasScript = process.platform === "linux" && existsSync("/usr/bin/script");

test.for([
  { title: "without a terminal", terminal: false, env: {} },
  { title: "without a terminal, with NO_COLOR", terminal: false, env: { NO_COLOR: "1" } },
  { title: "on a terminal", terminal: true, env: {} },
  { title: "on a terminal with NO_COLOR", terminal: true, env: { NO_COLOR: "1" } },
])("prints a table without colour codes $title", async ({ terminal, env }, { skip }) => {
  if (terminal && !hasScript) skip();
  const [isTerminal, ...table] = (await output(terminal, env)).split("\n");
  expect(isTerminal).toBe(String(terminal));
  expect(table.join("\n")).toContain("│ node │ active │");
  expect(table.join("\n")).not.toContain("\u001B");
});
