import { spawnSync } from "node:child_process";

const shownLines = 40;

/**
 * Runs a command. A failure is an error that contains the first lines of the output.
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnSyncOptions} [options]
 */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    ...options,
  });
  if (result.status === 0) return;
  const output = [result.stdout, result.stderr].map(String).join("").trim();
  const reason = result.error ? `: ${result.error.message}` : "";
  throw new Error(
    `${command} ${args.join(" ")} failed${reason}\n${output.split("\n").slice(0, shownLines).join("\n")}`,
  );
}

/**
 * Whether a command exists and has at least a minimum version.
 * @param {string} command
 * @param {string[]} args
 * @param {RegExp} pattern with a group for the major and a group for the minor version
 * @param {readonly [number, number]} minimum
 */
export function hasVersion(command, args, pattern, minimum) {
  const result = spawnSync(command, args, { encoding: "utf8" });
  if (result.status !== 0) return false;
  const match = pattern.exec(result.stdout);
  if (!match) return false;
  const [major = 0, minor = 0] = match.slice(1).map(Number);
  return major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);
}
