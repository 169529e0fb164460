import type { Client } from "pg";
import { sessionNames } from "../../contract/database-sessions.ts";
import { messageOf } from "../../contract/errors.ts";
import type { Progress } from "../../contract/record/record.ts";
import type { InstanceIdentity } from "../../contract/reports/instance-identity.ts";
import type { LeaseReport } from "../../contract/reports/instance.ts";
import { connect, type DatabaseAccess } from "../../database/connect.ts";
import { fenceTables } from "../../database/fence-tables.ts";
import { readDatabaseState, type DatabaseState } from "../../database/state.ts";

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: the table does not exist yet. */
const undefinedTable = "42P01";

/**
 * The node's database over one connection that stays open. No statement runs inside a transaction, and every statement
 * ends within a second: while a transaction that has read the lease is open, Eclair cannot renew the lease.
 */
export class NodeDatabase {
  private readonly access: DatabaseAccess;
  private client: Promise<Client> | undefined;

  constructor(access: DatabaseAccess) {
    this.access = access;
  }

  async readLease(): Promise<LeaseReport> {
    try {
      const { rows } = await this.withClient((client) =>
        client.query<{ instance: string; address: string | null; remaining: number }>(
          `select l.instance, host(e.client_address) as address, extract(epoch from l.expires_at - now())::float8 as remaining
           from public.lease l left join eclair_ami.epoch e on e.eclair_instance_id = l.instance where l.id = 1`,
        ),
      );
      const [row] = rows;
      if (row === undefined) return { known: true, remainingSeconds: 0 };
      return {
        known: true,
        holderEclairInstanceId: row.instance,
        ...(row.address !== null && { holderAddress: row.address }),
        remainingSeconds: row.remaining,
      };
    } catch (error) {
      if ((error as { code?: string }).code === undefinedTable) return { known: true, remainingSeconds: 0 };
      return { known: false, reason: `the lease cannot be read: ${messageOf(error)}` };
    }
  }

  async readState(): Promise<DatabaseState> {
    return await this.withClient(readDatabaseState);
  }

  /** Increases the counter on behalf of the holder of the lease; undefined when it is no longer the latest holder. */
  async raiseCounter(eclairInstanceId: string): Promise<Progress | undefined> {
    const { rows } = await this.withClient((client) =>
      client.query<{ generation: number | null; counter: number | null }>(
        "select generation::float8 as generation, counter::float8 as counter from eclair_ami.raise_counter($1)",
        [eclairInstanceId],
      ),
    );
    const [row] = rows;
    if (row === undefined || row.generation === null || row.counter === null) return undefined;
    return { generation: row.generation, counter: row.counter };
  }

  /**
   * Expires the lease of a process that is known to be dead. The lease of another process stays unchanged.
   * @returns whether the process held the lease
   */
  async expireLease(eclairInstanceId: string): Promise<boolean> {
    const { rowCount } = await this.withClient((client) =>
      client.query(
        "update public.lease set expires_at = now() where id = 1 and instance = $1 and expires_at > now()",
        [eclairInstanceId],
      ),
    );
    return rowCount === 1;
  }

  /**
   * Terminates the sessions of Eclairs on other hosts when the lease has expired: an Eclair that was frozen inside a
   * transaction holds a lock that would block a takeover.
   */
  async terminateSupersededSessions(): Promise<void> {
    await this.withClient((client) =>
      client.query(
        `select pg_terminate_backend(a.pid) from pg_stat_activity a
         where a.datname = current_database() and a.usename = current_user
           and split_part(a.application_name, '${sessionNames.separator}', 1) = '${sessionNames.eclair}'
           and a.client_addr is distinct from inet_client_addr()
           and not exists (select from public.lease where expires_at > now())`,
      ),
    );
  }

  /** Stores the EC2 instance and the image of a holder of the lease. */
  async describeHolder(eclairInstanceId: string, { instanceId, imageId }: InstanceIdentity): Promise<void> {
    await this.withClient((client) =>
      client.query("select eclair_ami.describe_holder($1, $2, $3)", [eclairInstanceId, instanceId, imageId]),
    );
  }

  /** Creates the fence's trigger on those of Eclair's tables where it is missing or disabled. */
  async fenceTables(): Promise<void> {
    await this.withClient(fenceTables);
  }

  async close(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    // The connection is broken already, or no longer needed.
    await client?.then((open) => open.end()).catch(() => undefined);
  }

  private async withClient<T>(task: (client: Client) => Promise<T>): Promise<T> {
    try {
      this.client ??= connect(this.access, sessionNames.supervisor);
      return await task(await this.client);
    } catch (error) {
      // An error of one statement leaves the connection usable; any other error may not.
      if (!isStatementError(error)) await this.close();
      throw error;
    }
  }
}

/** An error that the server reports for one statement has a five-character SQLSTATE and the severity ERROR. */
function isStatementError(error: unknown): boolean {
  const { code = "", severity } = error as { code?: string; severity?: string };
  return /^[0-9A-Z]{5}$/.test(code) && severity === "ERROR";
}
