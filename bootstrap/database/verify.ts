import { setTimeout as sleep } from "node:timers/promises";
import { sessionNames } from "../contract/database-sessions.ts";
import { connect, type DatabaseAccess } from "./connect.ts";
import { databaseError } from "./errors.ts";
import { readDatabaseState, type DatabaseState } from "./state.ts";

const timeoutMilliseconds = 60_000;
const firstDelayMilliseconds = 200;
const longestDelayMilliseconds = 3_000;

/**
 * Reads the state of the database as the role of the node, over verified TLS. Retries while the database is unreachable.
 * @param secret the name of the login's secret, for error messages
 */
export async function inspectDatabase(access: DatabaseAccess, secret: string): Promise<DatabaseState> {
  const deadline = performance.now() + timeoutMilliseconds;
  let delay = firstDelayMilliseconds;
  for (;;) {
    try {
      const client = await connect(access, sessionNames.boot);
      try {
        return await readDatabaseState(client);
      } finally {
        await client.end();
      }
    } catch (thrown) {
      const error = databaseError(thrown, access, secret);
      if (!error.retryable || performance.now() > deadline) throw error;
    }
    await sleep(delay * (0.5 + Math.random() / 2));
    delay = Math.min(delay * 2, longestDelayMilliseconds);
  }
}
