import type { Client } from "pg";

/**
 * Eclair's tables of the current role on which the trigger of the fence is missing or disabled. The trigger applies to the
 * writes of a table's owner only.
 */
export const unfencedSql = `
select c.oid::regclass::text as table_name, t.oid is not null as has_trigger
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  left join pg_trigger t on t.tgrelid = c.oid and t.tgname = 'eclair_ami_holder'
  where n.nspname in ('local', 'network', 'payments', 'audit', 'liquidity') and c.relkind = 'r'
    and pg_has_role(c.relowner, 'usage') and (t.oid is null or t.tgenabled not in ('O', 'A'))`;

type UnfencedTable = { readonly table_name: string; readonly has_trigger: boolean };

/**
 * Creates the trigger of the fence on Eclair's tables where the trigger is missing, and enables a disabled trigger. The
 * runtime role owns the tables and runs this after its Eclair has created them, outside any transaction: a transaction
 * that locks two tables could deadlock with Eclair.
 * @returns the tables that it fenced
 */
export async function fenceTables(client: Pick<Client, "query">): Promise<string[]> {
  const { rows } = await client.query<UnfencedTable>(unfencedSql);
  for (const { table_name: table, has_trigger: hasTrigger } of rows)
    await client.query(
      hasTrigger
        ? `alter table ${table} enable trigger eclair_ami_holder`
        : `create or replace trigger eclair_ami_holder before insert or update or delete or truncate on ${table}
           for each statement execute function eclair_ami.require_holder()`,
    );
  return rows.map(({ table_name: table }) => table);
}
