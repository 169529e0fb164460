import type { Client } from "pg";
import { EclairAmiError } from "../../contract/errors.ts";
import { triggerFaultsSql, type TriggerFault } from "../../database/fence-tables.ts";
import { fenceVersion } from "../../database/fence.ts";
import { limitSettings } from "../../database/roles.ts";
import type { DatabaseState } from "../../database/state.ts";

/** Returns one row for each fault that would permit the runtime role to bypass or remove the fence. */
const faultsSql = `
select 'the trigger on lease is missing or disabled' as fault
  where not exists (select from pg_trigger where tgrelid = 'public.lease'::regclass and tgname = 'eclair_ami_fence' and tgenabled = 'A')
union all select 'the role ' || rolname || ' is a superuser, or may create roles or databases'
  from pg_roles where (rolname = current_user or oid = any (eclair_ami.logins())) and (rolsuper or rolcreaterole or rolcreatedb)
union all select 'the login ' || rolname || ' does not have the limits that init and rotate set, or does not act as ' || f.runtime_role
  from pg_roles, eclair_ami.fence f where rolcanlogin and oid = any (eclair_ami.logins())
    and not (coalesce(rolconfig, '{}') @> $1 and (rolname = f.runtime_role or coalesce(rolconfig, '{}') @> array['role=' || f.runtime_role]))
union all select 'the owner of the fence cannot see the sessions of the login ' || rolname
  from pg_roles r, pg_namespace n where n.nspname = 'eclair_ami' and r.rolcanlogin and r.oid = any (eclair_ami.logins())
    and not pg_has_role(n.nspowner, r.oid, 'usage')
union all select 'the session of ' || session_user || ' acts as ' || current_user || ', not as ' || runtime_role
  from eclair_ami.fence where current_user <> runtime_role
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
union all select 'the runtime role may delete or truncate lease, or create a trigger on it'
  where has_table_privilege('public.lease', 'delete, truncate, trigger')`;

/** @param client a session of a login, or of the owner that has set the runtime role */
export async function fenceFaults(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ fault: string }>(faultsSql, [limitSettings]);
  return rows.map(({ fault }) => fault);
}

/**
 * Faults of the triggers on Eclair's tables. Tables that Eclair has just created have no trigger for a short time.
 * @param client as for `fenceFaults`
 */
export async function unfencedFaults(client: Client): Promise<string[]> {
  const { rows } = await client.query<TriggerFault>(triggerFaultsSql);
  return rows.map(({ table_name: table, events }) =>
    events === null
      ? `the trigger on ${table} belongs to an older fence`
      : `the trigger on ${table} is missing or disabled`,
  );
}

export function fenceNotEnforced(faults: readonly string[]): EclairAmiError {
  return new EclairAmiError({
    code: "fence.not-enforced",
    operation: "checking the fence",
    message: faults.join("; "),
    remedy:
      "when the fence was changed, run `eclair-ami init` with this image. When the role has too many privileges, name another role in the secret of database.secret",
  });
}

export function requireFenceKnown({ fence }: DatabaseState): void {
  if (fence === undefined || fence.version <= fenceVersion) return;
  throw new EclairAmiError({
    code: "fence.too-new",
    operation: "checking the fence",
    message: `the fence in the database has version ${fence.version}, and this image knows version ${fenceVersion}`,
    remedy: "use an image that is at least as new as the image that created the fence",
  });
}
