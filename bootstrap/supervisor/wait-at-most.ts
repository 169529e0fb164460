import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits for a task, but not longer than this time. The task itself continues.
 * @throws what the task throws within the time
 */
export async function waitAtMost(milliseconds: number, task: Promise<unknown>): Promise<void> {
  await Promise.race([task, sleep(milliseconds)]);
}
