import { escapeIdentifier, type Client } from "pg";

/** The schemas that Eclair makes beside what it has in `public`. */
const eclairSchemas = ["local", "network", "payments", "audit", "liquidity"];

type Owned = { readonly statement: string };

/** What of Eclair's belongs to another role than the runtime role, and the owner of `lease`. */
const notYetSql = `
select format('alter schema %I owner to ', nspname) as statement
  from pg_namespace where nspname = any($1) and nspowner <> $2::regrole
union all
select format('alter %s %s owner to ', case c.relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end, c.oid::regclass)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where (n.nspname = any($1) or (n.nspname = 'public' and c.relname <> 'lease'))
    and c.relkind in ('r', 'p', 'v') and c.relowner <> $2::regrole`;

/**
 * Gives the runtime role what Eclair has made as another role, and takes `lease` from it. Sequences go with their
 * tables. The role must have its grants: nobody is given a table in a schema where they may make none.
 */
export async function handOver(owner: Client, username: string): Promise<string[]> {
  const role = escapeIdentifier(username);
  const { rows } = await owner.query<Owned>(notYetSql, [eclairSchemas, role]);
  const { rows: lease } = await owner.query<Owned>(
    "select from pg_class where oid = 'public.lease'::regclass and relowner <> current_user::regrole",
  );
  if (rows.length === 0 && lease.length === 0) return [];
  // Whoever gives a table away must be a member of both roles.
  await owner.query(`grant ${role} to current_user`);
  for (const { statement } of rows) await owner.query(`${statement}${role}`);
  await owner.query("alter table public.lease owner to current_user");
  return [`owner of ${rows.length} schemas and tables`];
}
