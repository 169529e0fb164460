import { randomUUID } from "node:crypto";
import { escapeIdentifier, type Client } from "pg";
import { fenceTables } from "../database/fence-tables.ts";
import { fenceSql, fenceVersion, leaseSql } from "../database/fence.ts";
import { grantsSql, limitsSql, runtimeRoleSql } from "../database/roles.ts";
import { readDatabaseState, serverIdentity, type DatabaseState } from "../database/state.ts";
import type { NodeIdentity, Progress } from "../record/record.ts";
import { BootFailure } from "../failure.ts";
import { requireNode } from "../identity/guards.ts";
import { canLogIn, expectedOf, type Context } from "./context.ts";
import { fenceFaults, fenceOpen, requireFenceKnown } from "./fence-checks.ts";
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
    // While this waits for a lock on the lease, Eclair's renewal waits behind it, five seconds at most.
    await owner.query("set local lock_timeout = '2s'; set local idle_in_transaction_session_timeout = '4s'");
    await owner.query("select pg_advisory_xact_lock($1)", [setupLock]);
    const before = await readDatabaseState(owner);
    requireFenceKnown(before);
    if (before.binding !== undefined)
      requireNode(expectedOf(context, node), before.binding.node, "the database", "database");
    if (!loginWorks) {
      const exists =
        (await owner.query("select from pg_roles where rolname = $1", [username])).rowCount === 1;
      if (exists && before.binding === undefined && context.task.action === "init") throw roleTaken(username);
      await owner.query(runtimeRoleSql(login, exists));
      changed.push(`role ${username}`);
    }
    await owner.query(limitsSql(username));
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
    await requireNoFaults(owner, username);
    const state = await readDatabaseState(owner);
    await owner.query("commit");
    if (await fencesTables(owner, username)) changed.push("fence before Eclair's tables");
    return { state, changed, login: arn };
  } catch (error) {
    await owner.query("rollback");
    throw (error as { code?: string }).code === lockNotAvailable ? busy(error) : error;
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const lockNotAvailable = "55P03";

function busy(error: unknown): BootFailure {
  return new BootFailure(
    {
      code: "database.busy",
      cause: "a table was locked by somebody else for longer than Eclair's lease could bear",
      remedy:
        "look for a dump or another long transaction on this database, and run it again; what was made stays",
    },
    { cause: error },
  );
}

function roleTaken(username: string): BootFailure {
  return new BootFailure({
    code: "database.role-taken",
    cause: `the server has a role ${username} already, with another password: it may be another cluster's`,
    remedy: "put another username into the secret of database.secret, or the right password",
  });
}

/**
 * Gives the lease's last holder a successor, so that the fence refuses it for ever: it may only sleep, and would
 * renew on what it remembers. Run again it changes nothing.
 */
export async function supersede(owner: Client, by: string): Promise<void> {
  await owner.query(
    "insert into eclair_ami.epoch (instance, generation) select instance, -1 from public.lease on conflict do nothing",
  );
  await owner.query(
    "insert into eclair_ami.epoch (instance, generation) select $1, generation from eclair_ami.progress on conflict do nothing",
    [by],
  );
}

/** What the runtime role could do to the fence; asked as that role, of which the owner is a member. */
async function requireNoFaults(owner: Client, username: string): Promise<void> {
  await owner.query(`set local role ${escapeIdentifier(username)}`);
  const faults = await fenceFaults(owner);
  await owner.query("reset role");
  if (faults.length > 0) throw fenceOpen(faults);
}

/**
 * Fences what Eclair has made already; what it makes later is fenced when it is active.
 * @returns whether there was any that was not fenced
 */
async function fencesTables(owner: Client, username: string): Promise<boolean> {
  await owner.query(`set lock_timeout = '2s'; set role ${escapeIdentifier(username)}`);
  const fenced = await fenceTables(owner);
  await owner.query("reset role; reset lock_timeout");
  return fenced.length > 0;
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
  await supersede(owner, `repoint ${randomUUID()}`);
  return ["binding"];
}
