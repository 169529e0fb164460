import type { Client } from "pg";
import { unfencedSql } from "../database/fence-tables.ts";
import { fenceVersion } from "../database/fence.ts";
import type { DatabaseState } from "../database/state.ts";
import { BootFailure } from "../failure.ts";

/** What the runtime role must not be, or the fence could be taken away; one row a fault. */
const faultsSql = `
select 'the trigger on lease is missing or switched off' as fault
  where not exists (select from pg_trigger where tgrelid = 'public.lease'::regclass and tgname = 'eclair_ami_fence' and tgenabled = 'A')
union all select 'the runtime role is a superuser, or may make roles or databases'
  from pg_roles where rolname = current_user and (rolsuper or rolcreaterole or rolcreatedb)
union all select 'the runtime role owns the database'
  from pg_database where datname = current_database() and pg_has_role(datdba, 'member')
union all select 'the runtime role owns the schema ' || nspname
  from pg_namespace where nspname in ('public', 'eclair_ami') and pg_has_role(nspowner, 'member')
union all select 'the runtime role owns ' || c.oid::regclass
  from pg_class c where (c.oid = 'public.lease'::regclass or c.relnamespace = 'eclair_ami'::regnamespace)
    and pg_has_role(c.relowner, 'member')
union all select 'the runtime role may change ' || c.oid::regclass
  from pg_class c where c.relnamespace = 'eclair_ami'::regnamespace and c.relkind = 'r'
    and has_table_privilege(c.oid, 'insert, update, delete, truncate, trigger')
union all select 'the runtime role may delete or truncate lease, or put a trigger on it'
  where has_table_privilege('public.lease', 'delete, truncate, trigger')`;

/** Asked in the runtime role's own session, or by a member that has taken on the role. */
export async function fenceFaults(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ fault: string }>(faultsSql);
  return rows.map(({ fault }) => fault);
}

/** Where the fence does not stand before Eclair's tables; asked as `fenceFaults`, and true for a moment of new ones. */
export async function unfencedFaults(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ made: string }>(unfencedSql);
  return rows.map(({ made }) => `the trigger on ${made} is missing or switched off`);
}

export function fenceOpen(faults: readonly string[]): BootFailure {
  return new BootFailure({
    code: "fence.open",
    cause: faults.join("; "),
    remedy:
      "when the fence was changed, run `eclair-ami init` with this image; when the role may do too much, name another in the secret of database.secret",
  });
}

export function requireFenceKnown({ fence }: DatabaseState): void {
  if (fence === undefined || fence.version <= fenceVersion) return;
  throw new BootFailure({
    code: "fence.newer",
    cause: `the database's fence has version ${fence.version}, and this image knows ${fenceVersion}`,
    remedy: "use an image as new as the one that made the fence",
  });
}
