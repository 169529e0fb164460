import { fenceVersion } from "../database/fence.ts";
import { readDatabaseState } from "../database/state.ts";
import { eclairVersion } from "../eclair/image.ts";
import { BootFailure } from "../failure.ts";
import { guard } from "../identity/guards.ts";
import { asRole, expectedOf, recordOf, type Context } from "./context.ts";
import type { SetupResult } from "./result.ts";
import { nodeKeys, runtimeLogin } from "./secrets.ts";

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

/** Looks at secrets, record, database and fence as a node would before it starts; changes nothing. */
export async function verify(context: Context): Promise<Omit<SetupResult, "id" | "done">> {
  const { setup, secrets } = context;
  const { keys } = await nodeKeys(setup, secrets, { make: false, now: new Date() });
  const runtime = await runtimeLogin(setup, secrets, { make: false });
  const record = await recordOf(context);
  const { state, faults } = await asRole(context, runtime.login, setup.database.secret, async (client) => {
    const found = await readDatabaseState(client);
    const whole = found.fence !== undefined;
    const { rows } = whole ? await client.query<{ fault: string }>(faultsSql) : { rows: [] };
    return { state: found, faults: rows.map(({ fault }) => fault) };
  });
  const eclair = eclairVersion();
  guard({ ...expectedOf(context, keys.node), eclair, fence: fenceVersion }, record ?? "none", state);
  if (faults.length > 0)
    throw new BootFailure({
      code: "fence.open",
      cause: faults.join("; "),
      remedy: "run `eclair-ami init` with this image, and find out who changed it",
    });
  return {
    changed: [],
    nodeId: keys.node.nodeId,
    databaseSecret: runtime.arn,
    ...(record !== undefined && { record }),
    ...(state.progress !== undefined && { progress: state.progress }),
    facts: [
      ["secrets", "each is there, and the node's"],
      ["record", `${context.table.name}: ${setup.cluster}, as the secrets are`],
      ["database", `${setup.database.host}/${setup.database.name}: bound, no copy, not behind the record`],
      ["fence", `version ${state.fence?.version}; the runtime role can't take it away`],
      ["Eclair", `${eclair} may run on its schemas`],
    ],
  };
}
