import { escapeIdentifier, type Client } from "pg";
import { EclairAmiError, messageOf } from "../../contract/errors.ts";

/** The schemas that Eclair creates in addition to its tables in `public`. */
const eclairSchemas = ["local", "network", "payments", "audit", "liquidity"];

type StatementRow = { readonly statement: string };

/** The incomplete statements that give Eclair's schemas and tables to the role $2. The caller appends the role. */
const changeOwnerSql = `
select format('alter schema %I owner to ', nspname) as statement
  from pg_namespace where nspname = any($1) and nspowner <> $2::regrole
union all
select format('alter %s %s owner to ', case c.relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end, c.oid::regclass)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where (n.nspname = any($1) or (n.nspname = 'public' and c.relname = 'versions'))
    and c.relkind in ('r', 'p', 'v') and c.relowner <> $2::regrole`;

/**
 * The statements that grant the current role every role that owns something of Eclair's. From PostgreSQL 16 on, the creator
 * of a role is its member without its privileges.
 */
const joinOwnersSql = `
select distinct format('grant %s to current_user', owner::regrole) as statement from (
  select nspowner as owner from pg_namespace where nspname = any($1)
  union all
  select c.relowner from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where (n.nspname = any($1) or (n.nspname = 'public' and c.relname in ('versions', 'lease'))) and c.relkind in ('r', 'p', 'v')
) owners where not pg_has_role(owner, 'usage')`;

/**
 * Makes the owner of the database a member of each role that the operator's Eclair has used, so that the owner may read
 * its tables and change their owner. Only the creator of such a role, or its administrator, may do this.
 */
export async function joinOwners(owner: Client): Promise<void> {
  const { rows } = await owner.query<StatementRow>(joinOwnersSql, [eclairSchemas]);
  try {
    for (const { statement } of rows) await owner.query(statement);
  } catch (error) {
    throw new EclairAmiError(
      {
        code: "adopt.owner-privileges",
        operation: "adopting the database",
        message: `the owner of the database may not take ownership of Eclair's tables: ${messageOf(error)}`,
        remedy: `as the role that created the roles below, run: ${rows.map(({ statement }) => statement).join("; ")}. Write the owner of the database instead of current_user`,
      },
      { cause: error },
    );
  }
}

/**
 * Makes the runtime role the owner of Eclair's schemas and tables, and the owner of the database the owner of `lease`. A
 * sequence belongs to the owner of its table.
 * @returns what it changed, in words
 */
export async function transferOwnership(owner: Client, username: string): Promise<string[]> {
  const role = escapeIdentifier(username);
  const { rows } = await owner.query<StatementRow>(changeOwnerSql, [eclairSchemas, role]);
  const { rows: lease } = await owner.query(
    "select from pg_class where oid = 'public.lease'::regclass and relowner <> current_user::regrole",
  );
  if (rows.length === 0 && lease.length === 0) return [];
  // A change of owner requires membership in both roles, and the new owner needs the privilege to create tables.
  await owner.query(`grant ${role} to current_user`);
  await owner.query(`grant create on schema public to ${role}`);
  for (const { statement } of rows) await owner.query(`${statement}${role}`);
  await owner.query("alter table public.lease owner to current_user");
  return [`owner of ${rows.length} schemas and tables`];
}
