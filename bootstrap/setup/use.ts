import type { Client } from "pg";
import { BootFailure } from "../failure.ts";

/** Who uses a database beside this session. */
export type Use = {
  /** Seconds that the lease is still held, by the database's clock; none when it is free. */
  readonly leaseSeconds: number | undefined;
  /** Sessions of others on this database, as `user from address (application)`. */
  readonly sessions: readonly string[];
};

export async function usersOf(owner: Client): Promise<Use> {
  const { rows: there } = await owner.query<{ lease: boolean }>(
    "select to_regclass('public.lease') is not null as lease",
  );
  const held =
    there[0]?.lease === true
      ? await owner.query<{ left: number }>(
          "select extract(epoch from expires_at - now())::float8 as left from public.lease where expires_at > now()",
        )
      : undefined;
  const { rows } = await owner.query<{ session: string }>(
    `select format('%s from %s (%s)', usename, coalesce(client_addr::text, 'the server itself'), application_name) as session
     from pg_stat_activity
     where datname = current_database() and coalesce(backend_type, 'client backend') = 'client backend' and pid <> pg_backend_pid()
       and usename <> 'rdsadmin' and application_name <> 'eclair-ami-setup'`,
  );
  return { leaseSeconds: held?.rows[0]?.left, sessions: rows.map(({ session }) => session) };
}

/** Refuses a database that somebody uses: what is done to it would be undone, or break a node that runs. */
export function requireNobody({ leaseSeconds, sessions }: Use): void {
  if (leaseSeconds === undefined && sessions.length === 0) return;
  const lease = leaseSeconds === undefined ? [] : [`the lease is held for ${Math.ceil(leaseSeconds)} s more`];
  throw new BootFailure({
    code: "database.in-use",
    cause: [...lease, ...sessions.map((session) => `a session of ${session}`)].join("; "),
    remedy:
      "stop every Eclair that uses this database, and whatever else is connected to it, and run this again",
  });
}
