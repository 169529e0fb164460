import type { Client } from "pg";

/**
 * The writes that Eclair makes without a check of its lease, read in the source of 0.13.0, 0.13.1, 0.14.0 and 0.14.1. Each
 * Eclair that is added to `bootstrap/contract/eclair/versions.ts` needs a new reading of `eclair-core/src/main/scala/fr/acinq/eclair/db/pg`:
 * such a write is in `inTransaction`, or in `NoLock.withLock`.
 * - `PgAuditDb`, `PgNetworkDb`, `PgLiquidityDb`: every write.
 * - `PgChannelsDb.updateChannelMeta`: three timestamps of a channel.
 * - The constructors of all databases, with their migrations: each ends with `setVersion`, which writes `versions`.
 * A check by the fence would only repeat Eclair's own in the other tables, for the whole of each transaction.
 */
const wantedSql = `
select c.oid, 'eclair_ami_holder' as name, 'insert or update or delete or truncate' as events
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('audit', 'network', 'liquidity') and c.relkind = 'r'
union all select to_regclass('public.versions'), 'eclair_ami_holder', 'insert or update or delete or truncate'
union all select to_regclass('local.channels'), 'eclair_ami_holder_columns',
  'update of last_connected_timestamp, last_payment_received_timestamp, last_payment_sent_timestamp'`;

/**
 * The triggers of the fence that are missing, disabled, or no longer wanted on Eclair's tables of the current role. The
 * triggers apply to the writes of a table's owner only.
 */
export const triggerFaultsSql = `
with wanted as (${wantedSql})
select c.oid::regclass::text as table_name, coalesce(w.name, t.tgname) as trigger_name, w.events, t.oid is not null as has_trigger
  from wanted w full join pg_trigger t on t.tgrelid = w.oid and t.tgname = w.name
  join pg_class c on c.oid = coalesce(w.oid, t.tgrelid)
  where pg_has_role(c.relowner, 'usage') and (t.oid is null or t.tgname in ('eclair_ami_holder', 'eclair_ami_holder_columns'))
    and (t.oid is null or w.oid is null or t.tgenabled not in ('O', 'A'))`;

export type TriggerFault = {
  readonly table_name: string;
  readonly trigger_name: string;
  /** The events of a wanted trigger; null for a trigger of an older fence that is no longer wanted. */
  readonly events: string | null;
  readonly has_trigger: boolean;
};

/**
 * Creates the missing triggers of the fence on Eclair's tables, enables disabled triggers, and drops those of an older fence
 * that are no longer wanted. The runtime role owns the tables and runs this after its Eclair has created them, outside any
 * transaction: a transaction that locks two tables could deadlock with Eclair.
 * @returns the tables that it changed
 */
export async function fenceTables(client: Pick<Client, "query">): Promise<string[]> {
  const { rows } = await client.query<TriggerFault>(triggerFaultsSql);
  for (const fault of rows) await client.query(repairSql(fault));
  return rows.map(({ table_name: table }) => table);
}

function repairSql({
  table_name: table,
  trigger_name: trigger,
  events,
  has_trigger: exists,
}: TriggerFault): string {
  if (events === null) return `drop trigger if exists ${trigger} on ${table}`;
  if (exists) return `alter table ${table} enable trigger ${trigger}`;
  return `create or replace trigger ${trigger} before ${events} on ${table}
    for each statement execute function eclair_ami.require_holder()`;
}
