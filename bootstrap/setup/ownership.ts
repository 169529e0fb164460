import { escapeIdentifier, type Client } from "pg";
import { BootFailure, messageOf } from "../failure.ts";

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
  where (n.nspname = any($1) or (n.nspname = 'public' and c.relname = 'versions'))
    and c.relkind in ('r', 'p', 'v') and c.relowner <> $2::regrole`;

/** Roles to which something of Eclair's belongs, and whose privileges this one has not: from PostgreSQL 16 on who made a role is its member without them. */
const strangersSql = `
select distinct format('grant %s to current_user', owner::regrole) as statement from (
  select nspowner as owner from pg_namespace where nspname = any($1)
  union all
  select c.relowner from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where (n.nspname = any($1) or (n.nspname = 'public' and c.relname in ('versions', 'lease'))) and c.relkind in ('r', 'p', 'v')
) owners where not pg_has_role(owner, 'usage')`;

/**
 * Makes the database's owner a member of whatever role the operator's Eclair has used: only then it may read what is
 * there, and give it away. It must have made that role, or else be given it by who did.
 */
export async function joinOwners(owner: Client): Promise<void> {
  const { rows } = await owner.query<Owned>(strangersSql, [eclairSchemas]);
  try {
    for (const { statement } of rows) await owner.query(statement);
  } catch (error) {
    throw new BootFailure(
      {
        code: "adopt.owner",
        cause: `the database's owner may not take over what is in it: ${messageOf(error)}`,
        remedy: `as who made that role, run: ${rows.map(({ statement }) => statement).join("; ")}, with the database's owner in place of current_user`,
      },
      { cause: error },
    );
  }
}

/**
 * Gives the runtime role what Eclair has made as another role, and takes `lease` from it. Sequences go with their
 * tables.
 */
export async function handOver(owner: Client, username: string): Promise<string[]> {
  const role = escapeIdentifier(username);
  const { rows } = await owner.query<Owned>(notYetSql, [eclairSchemas, role]);
  const { rows: lease } = await owner.query<Owned>(
    "select from pg_class where oid = 'public.lease'::regclass and relowner <> current_user::regrole",
  );
  if (rows.length === 0 && lease.length === 0) return [];
  // Whoever gives a table away must be a member of both roles, and who gets it must be allowed to make one there.
  await owner.query(`grant ${role} to current_user`);
  await owner.query(`grant create on schema public to ${role}`);
  for (const { statement } of rows) await owner.query(`${statement}${role}`);
  await owner.query("alter table public.lease owner to current_user");
  return [`owner of ${rows.length} schemas and tables`];
}
