import type { Client } from "pg";
import { sessionNames } from "../../contract/database-sessions.ts";
import { EclairAmiError } from "../../contract/errors.ts";

/** The use of a database by others than this session. */
export type DatabaseUsage = {
  /** The remaining seconds of the lease, by the clock of the database; undefined when the lease is free. */
  readonly leaseSeconds: number | undefined;
  /** The other sessions in this database, as `user from address (application)`. */
  readonly sessions: readonly string[];
};

export async function readDatabaseUsage(owner: Client): Promise<DatabaseUsage> {
  const lease = (await hasLease(owner))
    ? await owner.query<{ remaining: number }>(
        "select extract(epoch from expires_at - now())::float8 as remaining from public.lease where expires_at > now()",
      )
    : undefined;
  const { rows } = await owner.query<{ session: string }>(
    `select format('%s from %s (%s)', usename, coalesce(client_addr::text, 'the server itself'), application_name) as session
     from pg_stat_activity
     where datname = current_database() and coalesce(backend_type, 'client backend') = 'client backend' and pid <> pg_backend_pid()
       and usename <> 'rdsadmin' and application_name <> '${sessionNames.setup}'`,
  );
  return { leaseSeconds: lease?.rows[0]?.remaining, sessions: rows.map(({ session }) => session) };
}

export async function hasLease(owner: Client): Promise<boolean> {
  const { rows } = await owner.query<{ exists: boolean }>(
    `select to_regclass('public.lease') is not null as "exists"`,
  );
  return rows[0]?.exists === true;
}

/** What uses a database, in words; empty when nothing uses the database. */
export function describeUsage({ leaseSeconds, sessions }: DatabaseUsage): string[] {
  const lease = leaseSeconds === undefined ? [] : [`the lease is held for ${Math.ceil(leaseSeconds)} s more`];
  return [...lease, ...sessions.map((session) => `a session of ${session}`)];
}

/** Refuses a database in use: its user could undo the changes, and the changes could break a running node. */
export function requireUnused(usage: DatabaseUsage): void {
  const users = describeUsage(usage);
  if (users.length === 0) return;
  throw new EclairAmiError({
    code: "database.in-use",
    operation: "checking the use of the database",
    message: users.join("; "),
    remedy:
      "stop every Eclair that uses this database and close all other sessions, then run the command again",
  });
}
