import { compileCacheDir } from "./paths.mjs";

/**
 * The environment of a program that this project starts on the user's terminal. Without a terminal, the program must
 * not print colours, not even when the environment says that it runs in CI.
 * @param {boolean} isTerminal whether standard output is a terminal
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {NodeJS.ProcessEnv}
 */
export function childEnvironment(isTerminal, environment = process.env) {
  const { FORCE_COLOR: forced, ...rest } = environment;
  const noColour = !isTerminal || Boolean(rest["NO_COLOR"]);
  // Node warns when both variables are set.
  const colour = noColour ? { NO_COLOR: "1" } : forced === undefined ? {} : { FORCE_COLOR: forced };
  return { NODE_COMPILE_CACHE: compileCacheDir(), ...rest, ...colour };
}
