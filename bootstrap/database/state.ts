import type { Client } from "pg";
import { z } from "zod";
import { NodeIdentity, Progress, SchemaVersions } from "../record/record.ts";

/** What a database says of itself, as far as it was made ours. */
export const DatabaseState = z.strictObject({
  /** None when it was never bound to a node. */
  binding: z
    .strictObject({
      node: NodeIdentity,
      databaseId: z.uuid(),
      /** The server and database that it was bound on: a copy says another's. */
      systemIdentifier: z.string(),
      databaseOid: z.int(),
    })
    .optional(),
  fence: z.strictObject({ version: z.int(), leastImage: z.int() }).optional(),
  progress: Progress.optional(),
  systemIdentifier: z.string(),
  databaseOid: z.int(),
  /** Versions of Eclair's schemas; none when no Eclair has used it. */
  schemas: SchemaVersions,
});
export type DatabaseState = z.infer<typeof DatabaseState>;

/**
 * Each of the tables has one row at most, which PostgreSQL does not know: without the limits it reckons with a thousand
 * millions and compiles the query first, which takes 0.1 s (https://www.postgresql.org/docs/current/jit-decision.html).
 */
export const oursSql = `
select b.node_id, b.chain, b.channel_seed, b.on_chain, b.database_id, b.system_identifier, b.database_oid::int8::float8 as database_oid,
  f.version, f.least_image, p.generation::float8 as generation, p.counter::float8 as counter
from (select * from eclair_ami.fence limit 1) f cross join (select * from eclair_ami.progress limit 1) p
left join (select * from eclair_ami.binding limit 1) b on true`;

type Version = { readonly db_name: string; readonly version: number };

type Ours = {
  readonly node_id: string | null;
  readonly chain: string;
  readonly channel_seed: string;
  readonly on_chain: string | null;
  readonly database_id: string;
  readonly system_identifier: string;
  readonly database_oid: number;
  readonly version: number;
  readonly least_image: number;
  readonly generation: number;
  readonly counter: number;
};

/** Which of the tables are there. */
type Tables = { readonly ours: boolean; readonly versions: boolean };

/**
 * What is known of a connection's database: a server stays the same as long as a connection to it, and tables that are
 * there stay there, but for one that somebody drops. A takeover waits for each question that need not be asked again.
 */
const known = new WeakMap<Client, { readonly server: Server; readonly tables: Tables }>();

/** Looks at a database without changing it, in single statements that hold no lock. */
export async function readDatabaseState(client: Client): Promise<DatabaseState> {
  const before = known.get(client);
  const server = before?.server ?? (await serverIdentity(client));
  const tables = before?.tables ?? (await tablesIn(client));
  if (tables.ours && tables.versions) known.set(client, { server, tables });
  try {
    return await stateIn(client, server, tables);
  } catch (error) {
    known.delete(client);
    throw error;
  }
}

async function stateIn(client: Client, server: Server, tables: Tables): Promise<DatabaseState> {
  const ours = tables.ours ? (await client.query<Ours>(oursSql)).rows[0] : undefined;
  const versions = tables.versions
    ? (await client.query<Version>("select db_name, version from public.versions")).rows
    : [];
  return DatabaseState.parse({
    ...(ours !== undefined && ours.node_id !== null && { binding: bindingOf(ours) }),
    ...(ours !== undefined && {
      fence: { version: ours.version, leastImage: ours.least_image },
      progress: { generation: ours.generation, counter: ours.counter },
    }),
    ...server,
    schemas: Object.fromEntries(versions.map(({ db_name, version }) => [db_name, version])),
  });
}

/** What is not there yet must not fail: a failure would end the transaction of a caller that has one. */
async function tablesIn(client: Client): Promise<Tables> {
  const { rows } = await client.query<Tables>(
    "select to_regclass('eclair_ami.binding') is not null as ours, to_regclass('public.versions') is not null as versions",
  );
  return rows[0] ?? { ours: false, versions: false };
}

type Server = { readonly systemIdentifier: string; readonly databaseOid: number };

/** The server and the database by what a copy has otherwise; a server may keep the first to itself. */
export async function serverIdentity(client: Client): Promise<Server> {
  const { rows } = await client.query<{ oid: number; told: boolean }>(
    `select oid::int8::float8 as oid, has_function_privilege('pg_catalog.pg_control_system()', 'execute') as told
     from pg_database where datname = current_database()`,
  );
  const [database] = rows;
  if (database === undefined) throw new Error("the database does not know itself");
  const system = database.told
    ? await client.query<{ id: string }>("select system_identifier::text as id from pg_control_system()")
    : undefined;
  return { systemIdentifier: system?.rows[0]?.id ?? "", databaseOid: database.oid };
}

function bindingOf(ours: Ours) {
  return {
    node: {
      nodeId: ours.node_id,
      chain: ours.chain,
      channelSeed: ours.channel_seed,
      ...(ours.on_chain !== null && { onChain: ours.on_chain }),
    },
    databaseId: ours.database_id,
    systemIdentifier: ours.system_identifier,
    databaseOid: ours.database_oid,
  };
}
