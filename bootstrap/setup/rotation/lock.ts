import type { Client } from "pg";
import type { SetupContext } from "../context.ts";
import { asOwner } from "../database/connection.ts";
import { setupLock } from "../database/prepare.ts";

/**
 * Uses the database as its owner while no other cluster setup changes it: a command that was killed leaves its instance running.
 * The server ends the lock with the session.
 */
export async function withSetupLock<T>(
  context: SetupContext,
  use: (owner: Client) => Promise<T>,
): Promise<T> {
  return await asOwner(context, async (owner) => {
    await owner.query("select pg_advisory_lock($1)", [setupLock]);
    return await use(owner);
  });
}
