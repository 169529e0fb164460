import { logError } from "./log.ts";

/** Runs an action that the caller repeats by itself, and logs its error. */
export async function logErrors(action: string, task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
  } catch (error) {
    logError("supervisor.action-failed", error, { action });
  }
}
