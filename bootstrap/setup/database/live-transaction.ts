import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { EclairAmiError } from "../../contract/errors.ts";

const attempts = 5;
const pauseMilliseconds = 1_000;

/** `lock_not_available` and `deadlock_detected`: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const lockConflicts: ReadonlySet<string> = new Set(["55P03", "40P01"]);

/**
 * Runs statements again whose wait for a lock timed out, so that Eclair continues in the meantime.
 * @param work begins from the start with each attempt
 * @throws EclairAmiError `database.locked` after the last attempt
 */
export async function repeatWhileLocked<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!lockConflicts.has((error as { code?: string }).code ?? "")) throw error;
      if (attempt === attempts) throw databaseLocked(error);
      await sleep(pauseMilliseconds);
    }
  }
}

/**
 * Runs a transaction on a database that a running Eclair uses. While the transaction waits for a lock on the lease, Eclair's
 * renewal waits behind it, for at most five seconds.
 * @param change as for `repeatWhileLocked`
 */
export async function liveTransaction<T>(owner: Client, change: () => Promise<T>): Promise<T> {
  return await repeatWhileLocked(async () => {
    await owner.query("begin");
    try {
      await owner.query(
        "set local lock_timeout = '2s'; set local idle_in_transaction_session_timeout = '4s'",
      );
      const result = await change();
      await owner.query("commit");
      return result;
    } catch (error) {
      await owner.query("rollback");
      throw error;
    }
  });
}

/**
 * Locks the lease, and then waits at most 500 ms for each other table. Eclair locks the lease first as well: in another order,
 * each of the two could wait for the other, and PostgreSQL could end the renewal of the lease. The wait ends before PostgreSQL
 * looks for a deadlock (`deadlock_timeout`, 1 s).
 */
export async function lockLease(owner: Client): Promise<void> {
  await owner.query("lock table public.lease in access exclusive mode");
  await owner.query("set local lock_timeout = '500ms'");
}

function databaseLocked(error: unknown): EclairAmiError {
  return new EclairAmiError(
    {
      code: "database.locked",
      operation: "preparing the database",
      message:
        "another transaction holds a lock on a table for longer than the renewal of Eclair's lease permits",
      remedy:
        "find a dump or another long transaction in this database, and run the command again. It keeps everything that exists already",
    },
    { cause: error },
  );
}
