import { escapeIdentifier, type Client } from "pg";
import { EclairAmiError } from "../../contract/errors.ts";
import type { SetupOutcome } from "../../contract/reports/setup.ts";
import { secretReader } from "../../secrets/fetch.ts";
import { parseCredentials } from "../../secrets/shapes.ts";
import type { SetupContext } from "../context.ts";
import { readRuntimeRole } from "../database/runtime-role.ts";
import { withSetupLock } from "./lock.ts";
import { requireNoSession, requireUsable } from "./login.ts";
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
    await requireNoSession(owner, others, {
      operation: "disabling the previous login",
      remedy: "Wait until the instance uses the current login. Both logins work until then",
    });
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

const changed = (secret: string) =>
  new EclairAmiError({
    code: "rotation.secret-changed",
    operation: "disabling the previous login",
    message: `the current version of secret ${secret} is not the one of this rotation`,
    remedy: "run the command again: it finds out what the instances use",
  });
