import type { Client } from "pg";

/**
 * Those of Eclair's tables that the fence does not stand before, of which the current role is the owner: `made`, and
 * whether its trigger is `there`, but off. The trigger is for the owner's own writes.
 */
export const unfencedSql = `
select c.oid::regclass::text as made, t.oid is not null as there
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  left join pg_trigger t on t.tgrelid = c.oid and t.tgname = 'eclair_ami_holder'
  where n.nspname in ('local', 'network', 'payments', 'audit', 'liquidity') and c.relkind = 'r'
    and pg_has_role(c.relowner, 'usage') and (t.oid is null or t.tgenabled not in ('O', 'A'))`;

type Unfenced = { readonly made: string; readonly there: boolean };

/**
 * Puts the fence's trigger on those of Eclair's tables that have none yet, or one that is off. To be run by the runtime
 * role, whose tables they are, once its Eclair has made them, and outside any transaction: whoever holds locks on two of
 * them waits for an Eclair that waits for the other one.
 * @returns the tables that it has fenced
 */
export async function fenceTables(client: Pick<Client, "query">): Promise<string[]> {
  const { rows } = await client.query<Unfenced>(unfencedSql);
  for (const { made, there } of rows)
    await client.query(
      there
        ? `alter table ${made} enable trigger eclair_ami_holder`
        : `create or replace trigger eclair_ami_holder before insert or update or delete or truncate on ${made}
           for each statement execute function eclair_ami.require_holder()`,
    );
  return rows.map(({ made }) => made);
}
