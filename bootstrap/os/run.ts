import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Runs a program and gives its standard output; a non-zero exit is an error unless it is allowed. */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly allowFailure?: boolean } = {},
): Promise<string> {
  try {
    const { stdout } = await execute(command, [...args], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const output = (error as { stdout?: string }).stdout;
    if (options.allowFailure === true && output !== undefined) return output;
    throw error;
  }
}
