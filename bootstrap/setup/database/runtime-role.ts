import type { Client } from "pg";

/**
 * The role that owns Eclair's tables, by the fence.
 * @returns undefined before the fence exists, and for a fence that does not know it yet
 */
export async function readRuntimeRole(owner: Client): Promise<string | undefined> {
  const fence = await owner.query("select where to_regclass('eclair_ami.fence') is not null");
  if (fence.rowCount === 0) return undefined;
  const { rows } = await owner.query<{ role: string | null }>(
    "select to_jsonb(f) ->> 'runtime_role' as role from eclair_ami.fence f",
  );
  return rows[0]?.role ?? undefined;
}

export async function roleExists(owner: Client, name: string): Promise<boolean> {
  const { rowCount } = await owner.query("select from pg_roles where rolname = $1", [name]);
  return rowCount === 1;
}
