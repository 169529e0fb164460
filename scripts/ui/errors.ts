import { EclairAmiError } from "../../bootstrap/contract/errors.ts";

/** Exit codes of every command. */
export const exitCodes = { succeeded: 0, failed: 1, invalidInput: 2, interrupted: 130 } as const;

/** The text that an operator gets for any error. An unexpected error is shown with its stack. */
export function describeError(error: unknown): string {
  if (!(error instanceof EclairAmiError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const { code, operation, message, remedy, mayHaveChanged } = error;
  const lines = [`${operation}: ${message}`, `To do: ${remedy}`];
  if (mayHaveChanged !== undefined) lines.push(`Left behind: ${mayHaveChanged}`);
  return `${lines.join("\n")}\n(${code})`;
}
