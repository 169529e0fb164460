import { escapeIdentifier, type Client } from "pg";
import { EclairAmiError } from "../../contract/errors.ts";
import type { SetupOutcome } from "../../contract/reports/setup.ts";
import { secretReader } from "../../secrets/fetch.ts";
import { parseCredentials } from "../../secrets/shapes.ts";
import type { SetupContext } from "../context.ts";
import { readRuntimeRole } from "../database/runtime-role.ts";
import { withSetupLock } from "./lock.ts";
import { requireUsable } from "./login.ts";
import { loginsOf } from "./prepare.ts";

/** Disables the logins of the runtime role that rotations use, except for the current one. */
export async function finishRotation(context: SetupContext): Promise<SetupOutcome> {
  const { setup, task, secrets } = context;
  const { secret } = setup.database;
  return await withSetupLock(context, async (owner) => {
    const { text, versionId } = await secretReader(secrets)(secret);
    if (versionId !== task.secretVersionId) throw changed(secret);
    const login = parseCredentials(text, secret);
    // With a current login that does not work, nothing would be left.
    await requireUsable(context, login, secret);
    const others = await otherLogins(owner, login.username);
    await requireUnused(owner, others);
    for (const username of others)
      await owner.query(`alter role ${escapeIdentifier(username)} with nologin password null`);
    return { changed: others.map((username) => `login ${username} is disabled`), findings: [] };
  });
}

async function otherLogins(owner: Client, current: string): Promise<string[]> {
  const runtimeRole = (await readRuntimeRole(owner)) ?? "";
  const { rows } = await owner.query<{ name: string }>(
    "select rolname as name from pg_roles where rolname = any ($1) and rolname <> $2 and rolcanlogin order by 1",
    [[runtimeRole, ...loginsOf(runtimeRole)], current],
  );
  return rows.map(({ name }) => name);
}

async function requireUnused(owner: Client, logins: readonly string[]): Promise<void> {
  const { rows } = await owner.query<{ session: string }>(
    `select distinct format('%s from %s (%s)', usename, coalesce(host(client_addr), 'the server itself'), application_name) as session
     from pg_stat_activity where usename = any ($1)`,
    [logins],
  );
  if (rows.length === 0) return;
  throw new EclairAmiError({
    code: "rotation.login-in-use",
    operation: "disabling the previous login",
    message: `it is still in use: ${rows.map(({ session }) => session).join("; ")}`,
    remedy:
      "find the instance with this address in `eclair-ami status`, wait until it uses the current login, and run the command again. Both logins work until then",
  });
}

const changed = (secret: string) =>
  new EclairAmiError({
    code: "rotation.secret-changed",
    operation: "disabling the previous login",
    message: `the current version of secret ${secret} is not the one of this rotation`,
    remedy: "run the command again: it finds out what the instances use",
  });
