import { logError } from "./log.ts";
import { run } from "./run.ts";

/** Reports the state of this service to systemd. JavaScript cannot write to the socket, so systemd-notify does. */
export async function notify(...assignments: string[]): Promise<void> {
  if (process.env["NOTIFY_SOCKET"] === undefined) return;
  try {
    await run("systemd-notify", assignments);
  } catch (error) {
    logError("systemd.notify-failed", error);
  }
}
