import type { Client } from "pg";
import { z } from "zod";
import { NodeIdentity, Progress, SchemaVersions } from "../contract/record/record.ts";

/** The state of a database, as far as `init` or `adopt` prepared it. */
export const DatabaseState = z.strictObject({
  /** Absent when the database is bound to no node. */
  binding: z
    .strictObject({
      node: NodeIdentity,
      databaseId: z.uuid(),
      /** The server and the database at the time of the binding. A copy has others. */
      systemIdentifier: z.string(),
      databaseOid: z.int(),
    })
    .optional(),
  fence: z.strictObject({ version: z.int(), minimumImageVersion: z.int() }).optional(),
  progress: Progress.optional(),
  systemIdentifier: z.string(),
  databaseOid: z.int(),
  /** Versions of Eclair's schemas; empty when no Eclair has used the database. */
  schemas: SchemaVersions,
});
export type DatabaseState = z.infer<typeof DatabaseState>;

/**
 * Each table has at most one row, and PostgreSQL does not know this. Without the limits it estimates 10^9 rows and compiles
 * the query first, which takes 0.1 s (https://www.postgresql.org/docs/current/jit-decision.html).
 */
export const stateSql = `
select b.node_id, b.chain, b.channel_seed_fingerprint, b.on_chain_fingerprint, b.database_id, b.system_identifier,
  b.database_oid::int8::float8 as database_oid, f.version, f.minimum_image_version,
  p.generation::float8 as generation, p.counter::float8 as counter
from (select * from eclair_ami.fence limit 1) f cross join (select * from eclair_ami.progress limit 1) p
left join (select * from eclair_ami.binding limit 1) b on true`;

type VersionRow = { readonly db_name: string; readonly version: number };

type StateRow = {
  readonly node_id: string | null;
  readonly chain: string;
  readonly channel_seed_fingerprint: string;
  readonly on_chain_fingerprint: string | null;
  readonly database_id: string;
  readonly system_identifier: string;
  readonly database_oid: number;
  readonly version: number;
  readonly minimum_image_version: number;
  readonly generation: number;
  readonly counter: number;
};

/** Whether this project's tables and Eclair's table `versions` exist. */
type Tables = { readonly own: boolean; readonly versions: boolean };

/**
 * Facts about the database of a connection that do not change while the tables exist. A takeover waits for every query
 * that is not cached.
 */
const cache = new WeakMap<Client, { readonly server: Server; readonly tables: Tables }>();

/** Reads the state of a database with single statements that hold no lock. */
export async function readDatabaseState(client: Client): Promise<DatabaseState> {
  const cached = cache.get(client);
  const server = cached?.server ?? (await serverIdentity(client));
  const tables = cached?.tables ?? (await existingTables(client));
  if (tables.own && tables.versions) cache.set(client, { server, tables });
  try {
    return await readState(client, server, tables);
  } catch (error) {
    cache.delete(client);
    throw error;
  }
}

async function readState(client: Client, server: Server, tables: Tables): Promise<DatabaseState> {
  const state = tables.own ? (await client.query<StateRow>(stateSql)).rows[0] : undefined;
  const versions = tables.versions
    ? (await client.query<VersionRow>("select db_name, version from public.versions")).rows
    : [];
  return DatabaseState.parse({
    ...(state !== undefined && state.node_id !== null && { binding: bindingOf(state) }),
    ...(state !== undefined && {
      fence: { version: state.version, minimumImageVersion: state.minimum_image_version },
      progress: { generation: state.generation, counter: state.counter },
    }),
    ...server,
    schemas: Object.fromEntries(versions.map(({ db_name, version }) => [db_name, version])),
  });
}

/** A missing table must not cause an error: an error would end the caller's transaction. */
async function existingTables(client: Client): Promise<Tables> {
  const { rows } = await client.query<Tables>(
    "select to_regclass('eclair_ami.binding') is not null as own, to_regclass('public.versions') is not null as versions",
  );
  return rows[0] ?? { own: false, versions: false };
}

type Server = { readonly systemIdentifier: string; readonly databaseOid: number };

/** The identity of the server and the database, which a copy does not share. A server may hide its system identifier. */
export async function serverIdentity(client: Client): Promise<Server> {
  const { rows } = await client.query<{ oid: number; permitted: boolean }>(
    `select oid::int8::float8 as oid, has_function_privilege('pg_catalog.pg_control_system()', 'execute') as permitted
     from pg_database where datname = current_database()`,
  );
  const [database] = rows;
  if (database === undefined) throw new Error("pg_database does not contain the current database");
  const system = database.permitted
    ? await client.query<{ id: string }>("select system_identifier::text as id from pg_control_system()")
    : undefined;
  return { systemIdentifier: system?.rows[0]?.id ?? "", databaseOid: database.oid };
}

function bindingOf(state: StateRow) {
  return {
    node: {
      nodeId: state.node_id,
      chain: state.chain,
      channelSeedFingerprint: state.channel_seed_fingerprint,
      ...(state.on_chain_fingerprint !== null && { onChainFingerprint: state.on_chain_fingerprint }),
    },
    databaseId: state.database_id,
    systemIdentifier: state.system_identifier,
    databaseOid: state.database_oid,
  };
}
