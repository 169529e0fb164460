import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);
const shownLines = 5;

/**
 * Runs a program and gives its standard output. A non-zero exit is an error that tells the end of what the
 * program said, unless its status is allowed, or any is: no program that is run here is given a secret.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: {
    readonly allowFailure?: boolean;
    readonly allowStatus?: readonly number[];
    /** After which it is killed, and has failed; none when it may take its time. */
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
    const said = stderr.trim().split("\n").slice(-shownLines).join("\n");
    throw new Error(`${command} ${args.join(" ")} failed (${code}): ${said}`, { cause: error });
  }
}
