import { createInterface } from "node:readline/promises";
import type { EclairAmiError } from "../../bootstrap/contract/errors.ts";

/**
 * Asks the operator a question at the terminal.
 * @param withoutTerminal thrown when standard input is not a terminal
 * @returns the answer without spaces around it
 */
export async function ask(question: string, withoutTerminal: EclairAmiError): Promise<string> {
  if (!process.stdin.isTTY) throw withoutTerminal;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question(question)).trim();
  } finally {
    terminal.close();
  }
}
