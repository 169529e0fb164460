import type { Client } from "pg";

/**
 * The condition of SQL for Eclair's open channels in `local.channels`. Version 12 of the schema (Eclair 0.13.1 and later) keeps
 * closed channels in a table of their own.
 */
export async function openChannelsCondition(client: Pick<Client, "query">): Promise<string> {
  const { rowCount } = await client.query(
    "select from pg_attribute where attrelid = to_regclass('local.channels') and attname = 'is_closed' and not attisdropped",
  );
  return rowCount === 1 ? "not is_closed" : "true";
}
