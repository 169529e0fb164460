import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);
const shownLines = 5;

/**
 * Runs a program without a shell. No caller passes a secret, so an error can contain the arguments and the output.
 * @returns the standard output
 * @throws Error with the last lines of the standard error when the exit status is not 0 and not permitted
 */
export async function run(
  command: string,
  args: readonly string[],
  options: {
    /** Permits every exit status. */
    readonly allowFailure?: boolean;
    /** Exit statuses that are permitted in addition to 0. */
    readonly allowStatus?: readonly number[];
    /** The program is killed after this time. No limit by default. */
    readonly milliseconds?: number;
  } = {},
): Promise<string> {
  try {
    const { stdout } = await execute(command, [...args], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
      timeout: options.milliseconds ?? 0,
    });
    return stdout;
  } catch (error) {
    const {
      stdout,
      stderr = "",
      code,
    } = error as { stdout?: string; stderr?: string; code?: number | string };
    const allowed =
      options.allowFailure === true || (typeof code === "number" && options.allowStatus?.includes(code));
    if (allowed === true && stdout !== undefined) return stdout;
    const lastLines = stderr.trim().split("\n").slice(-shownLines).join("\n");
    throw new Error(`${command} ${args.join(" ")} failed (${code}): ${lastLines}`, { cause: error });
  }
}
