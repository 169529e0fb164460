import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import { fenceSql, fenceVersion, leaseSql } from "../database/fence.ts";
import { grantsSql, runtimeRoleSql } from "../database/roles.ts";
import { readDatabaseState, serverIdentity, type DatabaseState } from "../database/state.ts";
import type { NodeIdentity, Progress } from "../record/record.ts";
import { canLogIn, type Context } from "./context.ts";
import { runtimeLogin } from "./secrets.ts";

/** Two set-ups of one database wait for each other; the number is nobody else's. */
const setupLock = 6_172_919_001;

export type Prepared = {
  readonly state: DatabaseState;
  readonly changed: string[];
  /** The ARN of the runtime role's login. */
  readonly login: string;
};

/**
 * Makes the runtime role's login, the role, lease table, fence and binding, those in the database all or none of them,
 * and leaves alone what is there.
 * @param alsoInside what else must happen in the same transaction, and tells what it changed
 */
export async function prepareDatabase(
  context: Context,
  owner: Client,
  node: NodeIdentity,
  alsoInside: (client: Client, username: string) => Promise<string[]> = () => Promise.resolve([]),
): Promise<Prepared> {
  const { setup, secrets } = context;
  const { login, arn, made } = await runtimeLogin(setup, secrets, { make: true });
  const { username } = login;
  const loginWorks = await canLogIn(context, login);
  const changed = [...made];
  await owner.query("begin");
  try {
    await owner.query("select pg_advisory_xact_lock($1)", [setupLock]);
    const before = await readDatabaseState(owner);
    if (!loginWorks) {
      const exists =
        (await owner.query("select from pg_roles where rolname = $1", [username])).rowCount === 1;
      await owner.query(runtimeRoleSql(login, exists));
      changed.push(`role ${username}`);
    }
    if (before.fence?.version !== fenceVersion || !(await hasTrigger(owner))) {
      await owner.query(leaseSql);
      await owner.query(fenceSql);
      changed.push(before.fence === undefined ? "fence" : `fence, from version ${before.fence.version}`);
    }
    if (before.binding === undefined) {
      await bind(owner, node);
      changed.push("binding");
    }
    changed.push(...(await alsoInside(owner, username)));
    // Last, since a table's grants to its owner go with it to the next owner.
    if (changed.length > 0) await owner.query(grantsSql(username, setup.database.name));
    const state = await readDatabaseState(owner);
    await owner.query("commit");
    return { state, changed, login: arn };
  } catch (error) {
    await owner.query("rollback");
    throw error;
  }
}

async function hasTrigger(owner: Client): Promise<boolean> {
  const { rowCount } = await owner.query(
    "select from pg_trigger where tgrelid = to_regclass('public.lease') and tgname = 'eclair_ami_fence' and tgenabled = 'A'",
  );
  return rowCount === 1;
}

async function bind(owner: Client, { nodeId, chain, channelSeed, onChain }: NodeIdentity): Promise<void> {
  const { systemIdentifier, databaseOid } = await serverIdentity(owner);
  await owner.query(
    `insert into eclair_ami.binding (node_id, chain, channel_seed, on_chain, database_id, system_identifier, database_oid)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [nodeId, chain, channelSeed, onChain ?? null, randomUUID(), systemIdentifier, databaseOid],
  );
}

/** Makes a copy the node's own database: a new id, this server's identity, and a generation beyond the record's. */
export async function bindAnew(owner: Client, beyond: Progress): Promise<string[]> {
  const { systemIdentifier, databaseOid } = await serverIdentity(owner);
  await owner.query(
    "update eclair_ami.binding set database_id = $1, system_identifier = $2, database_oid = $3, bound_at = now()",
    [randomUUID(), systemIdentifier, databaseOid],
  );
  await owner.query("update eclair_ami.progress set generation = greatest(generation, $1) + 1", [
    beyond.generation,
  ]);
  return ["binding"];
}
