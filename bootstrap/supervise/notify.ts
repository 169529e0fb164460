import { messageOf } from "../failure.ts";
import { logLine } from "../log.ts";
import { run } from "../os/run.ts";

/** Tells systemd how this service is; its socket can't be written to from JavaScript, so its own program does. */
export async function notify(...assignments: string[]): Promise<void> {
  if (process.env["NOTIFY_SOCKET"] === undefined) return;
  try {
    await run("systemd-notify", assignments);
  } catch (error) {
    logLine("notify", { failed: messageOf(error) });
  }
}
