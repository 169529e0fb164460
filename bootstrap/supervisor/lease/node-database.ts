import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { sessionNames } from "../../contract/database-sessions.ts";
import { messageOf } from "../../contract/errors.ts";
import type { Progress } from "../../contract/record/record.ts";
import type { InstanceIdentity } from "../../contract/reports/instance-identity.ts";
import type { LeaseReport } from "../../contract/reports/instance.ts";
import { connect, defaultPatience, type DatabaseAccess, type Patience } from "../../database/connect.ts";
import { fenceTables } from "../../database/fence-tables.ts";
import { readDatabaseState, type DatabaseState } from "../../database/state.ts";
import { boottime } from "../../os/clock.ts";
import { waitAtMost } from "../wait-at-most.ts";
import type { ObservedHolder, LeaseObservation } from "../silence/silence-watch.ts";

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: the table does not exist yet. */
const undefinedTable = "42P01";

/**
 * A statement of the loop that follows the lease. After half a second without an answer, it connects again: TCP would send a lost
 * packet again after a delay that doubles, so that two seconds of lost packets would become three seconds of silence.
 */
export const leasePatience: Patience = { connect: 500, statement: 400, network: 100 };

/** Between the starts of two attempts to connect. An attempt without an answer takes longer: only refused attempts wait. */
const connectAgainSeconds = 0.2;
/** A server that was lost without a reset never confirms the end of a connection. */
const closeWithinMilliseconds = 500;

/** A connection, and the end of the last task that uses it: a connection executes one statement at a time. */
type Session = { readonly client: Promise<Client>; last: Promise<unknown> };

/** The lease, and what the same statement saw of its holder. */
export type LeaseReading = {
  readonly report: LeaseReport;
  /** Absent when the database did not answer. */
  readonly observation?: LeaseObservation;
};

type LeaseRow = {
  readonly instance: string;
  readonly address: string | null;
  readonly remaining: number;
  readonly generation: number | null;
  readonly is_other: boolean | null;
  readonly acknowledged: boolean | null;
  readonly sessions: string | null;
};

/** `is_other`: the holder is on another host. Its sessions are read in the same statement as the lease. */
const readLeaseSql = `
select l.instance, host(e.client_address) as address, extract(epoch from l.expires_at - now())::float8 as remaining,
  e.generation::float8 as generation, e.client_address <> inet_client_addr() as is_other,
  (select c.acknowledged_generation = e.generation from eclair_ami.claimant c where c.client_address = inet_client_addr())
    as acknowledged,
  case when e.client_address <> inet_client_addr() then eclair_ami.sessions_at(e.client_address) end as sessions
from public.lease l left join eclair_ami.epoch e on e.eclair_instance_id = l.instance where l.id = 1`;

/**
 * The node's database over one connection that stays open. No statement runs inside a transaction, and every statement
 * ends within a second: while a transaction that has read the lease is open, Eclair cannot renew the lease.
 */
export class NodeDatabase {
  private readonly access: DatabaseAccess;
  private readonly patience: Patience;
  private session: Session | undefined;
  /** Counts the connections. */
  private connection = 0;
  /** When the last attempt to connect began, on CLOCK_BOOTTIME. */
  private connectedAt = -Infinity;

  constructor(access: DatabaseAccess, patience: Patience = defaultPatience) {
    this.access = access;
    this.patience = patience;
  }

  async readLease(): Promise<LeaseReading> {
    try {
      return await this.withClient(async (client) => {
        const sentAt = boottime();
        const { connection } = this;
        const { rows } = await client.query<LeaseRow>(readLeaseSql);
        const answer = { sentAt, answeredAt: boottime(), connection };
        return { report: reportOf(rows[0]), observation: { ...answer, holder: holderOf(rows[0]) } };
      });
    } catch (error) {
      if ((error as { code?: string }).code === undefinedTable && /"public\.lease"/.test(messageOf(error)))
        return { report: { known: true, remainingSeconds: 0 } };
      return { report: { known: false, reason: `the lease cannot be read: ${messageOf(error)}` } };
    }
  }

  /** Registers this host as a claimant. */
  async registerClaimant(instanceId: string): Promise<void> {
    await this.withClient((client) => client.query("select eclair_ami.register_claimant($1)", [instanceId]));
  }

  /** The addresses of the other hosts that have registered themselves as claimants in the last half minute. */
  async readClaimants(): Promise<string[]> {
    const { rows } = await this.withClient((client) =>
      client.query<{ address: string }>(
        `select host(client_address) as address from eclair_ami.claimant
         where client_address <> inet_client_addr() and registered_at > clock_timestamp() - interval '30 s' order by 1`,
      ),
    );
    return rows.map(({ address }) => address);
  }

  /** Permits these hosts, and no others, to claim the lease of an Eclair of this host. */
  async acknowledgeClaimants(eclairInstanceId: string, addresses: readonly string[]): Promise<void> {
    await this.withClient((client) =>
      client.query("select eclair_ami.acknowledge_claimants($1, $2)", [eclairInstanceId, [...addresses]]),
    );
  }

  /**
   * Expires the lease of a silent holder, unless it has sent a statement in the meantime.
   * @param sessions of the holder's host, as this host saw them last
   * @returns whether the lease has expired now
   */
  async claimLease(eclairInstanceId: string, generation: number, sessions: string): Promise<boolean> {
    const { rows } = await this.withClient((client) =>
      client.query<{ claimed: boolean }>("select eclair_ami.claim_lease($1, $2, $3) as claimed", [
        eclairInstanceId,
        generation,
        sessions,
      ]),
    );
    return rows[0]?.claimed === true;
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
    await this.withClient((client) => client.query("select eclair_ami.end_superseded_sessions()"));
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
    const { session } = this;
    if (session === undefined) return;
    this.session = undefined;
    // The connection is broken already, or no longer needed.
    const ended = session.client.then((open) => open.end()).catch(() => undefined);
    await waitAtMost(closeWithinMilliseconds, ended);
    this.abandon(session);
  }

  /** Runs statements, when the statements of earlier calls have ended. */
  private async withClient<T>(task: (client: Client) => Promise<T>): Promise<T> {
    const session = (this.session ??= { client: this.connect(), last: Promise.resolve() });
    try {
      const client = await session.client;
      const result = session.last.then(() => task(client));
      session.last = result.catch(() => undefined);
      return await result;
    } catch (error) {
      // An error of one statement leaves the connection usable; any other error may not.
      if (!isStatementError(error)) this.abandon(session);
      throw error;
    }
  }

  /** Connects, not immediately after another attempt: a server can refuse a connection at once. */
  private async connect(): Promise<Client> {
    const pauseSeconds = this.connectedAt + connectAgainSeconds - boottime();
    if (pauseSeconds > 0) await sleep(pauseSeconds * 1000);
    this.connectedAt = boottime();
    this.connection += 1;
    return await connect(this.access, sessionNames.supervisor, this.patience);
  }

  /** Gives up a connection without a message to the server, which may not answer. */
  private abandon(session: Session): void {
    if (this.session === session) this.session = undefined;
    void session.client.then(
      (open) => open.connection.stream.destroy(),
      () => undefined,
    );
  }
}

function reportOf(row: LeaseRow | undefined): LeaseReport {
  if (row === undefined) return { known: true, remainingSeconds: 0 };
  return {
    known: true,
    holderEclairInstanceId: row.instance,
    ...(row.address !== null && { holderAddress: row.address }),
    remainingSeconds: row.remaining,
  };
}

function holderOf(row: LeaseRow | undefined): ObservedHolder | undefined {
  if (row?.is_other !== true || row.remaining <= 0 || row.generation === null) return undefined;
  return {
    eclairInstanceId: row.instance,
    generation: row.generation,
    acknowledged: row.acknowledged === true,
    sessions: row.sessions ?? undefined,
  };
}

/** An error that the server reports for one statement has a five-character SQLSTATE and the severity ERROR. */
function isStatementError(error: unknown): boolean {
  const { code = "", severity } = error as { code?: string; severity?: string };
  return /^[0-9A-Z]{5}$/.test(code) && severity === "ERROR";
}
