import type { Client } from "pg";
import { connect, type DatabaseAccess } from "../database/connect.ts";
import { fenceTables } from "../database/fence-tables.ts";
import { readDatabaseState, type DatabaseState } from "../database/state.ts";
import { eclairSessions } from "../database/url.ts";
import { messageOf } from "../failure.ts";
import type { Identity } from "../imds/identity.ts";
import type { Progress } from "../record/record.ts";
import type { Lease } from "./observation.ts";

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: the table is not there yet. */
const undefinedTable = "42P01";

/** As `application_name`. */
export const supervisorName = "eclair-supervisor";

/**
 * The node's database over one connection that is kept. Nothing here is ever inside a transaction, and every
 * statement ends within a second: while one that has read the lease is open, Eclair can't renew.
 */
export class NodeDatabase {
  private readonly access: DatabaseAccess;
  private client: Promise<Client> | undefined;

  constructor(access: DatabaseAccess) {
    this.access = access;
  }

  async lease(): Promise<Lease> {
    try {
      const { rows } = await this.use((client) =>
        client.query<{ instance: string; remaining: number }>(
          "select instance, extract(epoch from expires_at - now())::float8 as remaining from public.lease where id = 1",
        ),
      );
      const [row] = rows;
      return row === undefined
        ? { seen: true, remaining: 0 }
        : { seen: true, holder: row.instance, remaining: row.remaining };
    } catch (error) {
      if ((error as { code?: string }).code === undefinedTable) return { seen: true, remaining: 0 };
      return { seen: false, why: `the lease can't be read: ${messageOf(error)}` };
    }
  }

  async state(): Promise<DatabaseState> {
    return await this.use(readDatabaseState);
  }

  /** Raises the counter in the name of the lease's holder; nothing when it is no longer the latest. */
  async raiseCounter(holder: string): Promise<Progress | undefined> {
    const { rows } = await this.use((client) =>
      client.query<{ generation: number | null; counter: number | null }>(
        "select generation::float8 as generation, counter::float8 as counter from eclair_ami.raise_counter($1)",
        [holder],
      ),
    );
    const [row] = rows;
    if (row === undefined || row.generation === null || row.counter === null) return undefined;
    return { generation: row.generation, counter: row.counter };
  }

  /**
   * Expires the lease of a process that is known to be dead; anybody else's stays as it is.
   * @returns whether it held the lease
   */
  async release(holder: string): Promise<boolean> {
    const { rowCount } = await this.use((client) =>
      client.query(
        "update public.lease set expires_at = now() where id = 1 and instance = $1 and expires_at > now()",
        [holder],
      ),
    );
    return rowCount === 1;
  }

  /**
   * Ends the sessions of Eclairs on other hosts when the lease has run out: one that was frozen inside a transaction
   * holds a lock that a takeover would wait for.
   */
  async endSuperseded(): Promise<void> {
    await this.use((client) =>
      client.query(
        `select pg_terminate_backend(a.pid) from pg_stat_activity a
         where a.datname = current_database() and a.usename = current_user and a.application_name = '${eclairSessions}'
           and a.client_addr is distinct from inet_client_addr()
           and not exists (select from public.lease where expires_at > now())`,
      ),
    );
  }

  /** Writes down which instance of EC2 a holder of the lease runs on. */
  async describeHolder(holder: string, { instanceId, imageId }: Identity): Promise<void> {
    await this.use((client) =>
      client.query("select eclair_ami.describe_holder($1, $2, $3)", [holder, instanceId, imageId]),
    );
  }

  /** Puts the fence before those of Eclair's tables that have none yet, or one that is off. */
  async fenceTables(): Promise<void> {
    await this.use(fenceTables);
  }

  async close(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    // It is broken already, or no longer needed.
    await client?.then((open) => open.end()).catch(() => undefined);
  }

  private async use<T>(task: (client: Client) => Promise<T>): Promise<T> {
    try {
      this.client ??= connect(this.access, supervisorName);
      return await task(await this.client);
    } catch (error) {
      // What the server said of a statement leaves the connection whole; anything else may not.
      if (!isServersWord(error)) await this.close();
      throw error;
    }
  }
}

/** An error that the server reported of one statement has five characters of SQLSTATE and a severity ERROR. */
function isServersWord(error: unknown): boolean {
  const { code = "", severity } = error as { code?: string; severity?: string };
  return /^[0-9A-Z]{5}$/.test(code) && severity === "ERROR";
}
