import { escapeIdentifier, type Client } from "pg";
import { EclairAmiError } from "../../contract/errors.ts";
import type { NodeIdentity } from "../../contract/record/record.ts";
import { fenceTables } from "../../database/fence-tables.ts";
import { fenceSql, fenceVersion, leaseSql } from "../../database/fence.ts";
import { grantsSql, loginSql, runtimeRoleSql, settingsSql } from "../../database/roles.ts";
import { readDatabaseState, type DatabaseState } from "../../database/state.ts";
import { requireNode } from "../../identity/node-checks.ts";
import type { Credentials } from "../../secrets/shapes.ts";
import { expectedOf, type SetupContext } from "../context.ts";
import { runtimeLogin } from "../secrets.ts";
import { bind } from "./binding.ts";
import { canLogIn } from "./connection.ts";
import { fenceFaults, fenceNotEnforced, requireFenceKnown } from "./fence-checks.ts";
import { liveTransaction, lockLease, repeatWhileLocked } from "./live-transaction.ts";
import { readRuntimeRole, roleExists } from "./runtime-role.ts";

/** The key of an advisory lock, so that two cluster setups of one database run one after the other. */
export const setupLock = 6_172_919_001;

export type PreparedDatabase = {
  readonly state: DatabaseState;
  readonly changed: string[];
  /** The ARN of the secret with the runtime role's login. */
  readonly secretArn: string;
};

/** An additional change in the transaction. It returns what it changed, in words. */
type Change = (owner: Client, runtimeRole: string) => Promise<string[]>;

/**
 * Creates the secret of the runtime role's login, and in one transaction the role, the lease table, the fence and the
 * binding. Whatever exists stays unchanged.
 */
export async function prepareDatabase(
  context: SetupContext,
  owner: Client,
  node: NodeIdentity,
  additionalChange: Change = () => Promise.resolve([]),
): Promise<PreparedDatabase> {
  const { setup, secrets } = context;
  const { login, arn: secretArn, created } = await runtimeLogin(setup, secrets, { create: true });
  const { username } = login;
  const loginWorks = await canLogIn(context, login);
  const { state, changed, runtimeRole } = await liveTransaction(owner, async () => {
    await owner.query("select pg_advisory_xact_lock($1)", [setupLock]);
    const before = await readDatabaseState(owner);
    requireFenceKnown(before);
    if (before.binding !== undefined)
      requireNode(expectedOf(context, node), before.binding.node, "the database", "database");
    const role = (await readRuntimeRole(owner)) ?? username;
    const changes: string[] = [];
    if (!loginWorks) changes.push(await createLogin(context, owner, { login, runtimeRole: role, before }));
    changes.push(...(await createFence(owner, before, role)));
    await limitLogins(owner, role);
    if (before.binding === undefined) {
      await bind(owner, node);
      changes.push("binding");
    }
    changes.push(...(await additionalChange(owner, role)));
    // Last, because the privileges of a table's owner go to the next owner.
    if (changes.length > 0) await owner.query(grantsSql(role, setup.database.name));
    await requireNoFaults(owner, role);
    return { state: await readDatabaseState(owner), changed: changes, runtimeRole: role };
  });
  if (await fenceExistingTables(owner, runtimeRole)) changed.push("fence on Eclair's tables");
  return { state, changed: [...created, ...changed], secretArn };
}

type NewLogin = {
  readonly login: Credentials;
  readonly runtimeRole: string;
  readonly before: DatabaseState;
};

/** Creates the login, or sets the password of the existing role. */
async function createLogin(
  { task }: SetupContext,
  owner: Client,
  { login, runtimeRole, before }: NewLogin,
): Promise<string> {
  const { username } = login;
  const exists = await roleExists(owner, username);
  if (exists && before.binding === undefined && task.action === "init") throw foreignRole(username);
  // The fence of a restored dump names a role that the new server does not have.
  if (username !== runtimeRole && !(await roleExists(owner, runtimeRole)))
    await owner.query(runtimeRoleSql(runtimeRole));
  await owner.query(loginSql(login, runtimeRole, exists));
  return `role ${username}`;
}

/** Sets the limits of all logins: a rotation can leave a second one. */
async function limitLogins(owner: Client, runtimeRole: string): Promise<void> {
  const { rows } = await owner.query<{ rolname: string }>(
    "select rolname from pg_roles where rolcanlogin and oid = any ((select eclair_ami.logins())::oid[])",
  );
  for (const { rolname } of rows) await owner.query(settingsSql(rolname, runtimeRole));
}

/** Creates the lease table and the fence, or upgrades the fence. */
async function createFence(owner: Client, { fence }: DatabaseState, runtimeRole: string): Promise<string[]> {
  if (fence?.version === fenceVersion && (await hasTrigger(owner))) return [];
  await owner.query(leaseSql);
  await lockLease(owner);
  await owner.query(fenceSql(runtimeRole));
  return [fence === undefined ? "fence" : `fence, from version ${fence.version}`];
}

async function hasTrigger(owner: Client): Promise<boolean> {
  const { rowCount } = await owner.query(
    "select from pg_trigger where tgrelid = to_regclass('public.lease') and tgname = 'eclair_ami_fence' and tgenabled = 'A'",
  );
  return rowCount === 1;
}

/** Checks the fence as the runtime role. The owner is a member of this role. */
async function requireNoFaults(owner: Client, runtimeRole: string): Promise<void> {
  await owner.query(`set local role ${escapeIdentifier(runtimeRole)}`);
  const faults = await fenceFaults(owner);
  await owner.query("reset role");
  if (faults.length > 0) throw fenceNotEnforced(faults);
}

/**
 * Fences the tables that Eclair has created. The active instance fences later tables.
 * @returns whether a table was not fenced
 */
async function fenceExistingTables(owner: Client, runtimeRole: string): Promise<boolean> {
  await owner.query(`set lock_timeout = '2s'; set role ${escapeIdentifier(runtimeRole)}`);
  const fenced = await repeatWhileLocked(() => fenceTables(owner));
  await owner.query("reset role; reset lock_timeout");
  return fenced.length > 0;
}

function foreignRole(username: string): EclairAmiError {
  return new EclairAmiError({
    code: "database.role-exists",
    operation: "preparing the database",
    message: `the server already has a role ${username} with another password: the role may belong to another cluster`,
    remedy: "store another username, or the correct password, in the secret of database.secret",
  });
}
