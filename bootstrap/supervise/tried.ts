import { messageOf } from "../failure.ts";
import { logLine } from "../log.ts";

/** Does a thing that is tried again by itself when it fails. */
export async function tried(what: string, task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
  } catch (error) {
    logLine(what, { failed: messageOf(error) });
  }
}
