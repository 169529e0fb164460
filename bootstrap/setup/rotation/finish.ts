import { escapeIdentifier, type Client } from "pg";
import { EclairAmiError } from "../../contract/errors.ts";
import type { SetupOutcome } from "../../contract/reports/setup.ts";
import { secretReader } from "../../secrets/fetch.ts";
import { parseCredentials } from "../../secrets/shapes.ts";
import type { SetupContext } from "../context.ts";
import { asOwner } from "../database/connection.ts";
import { requireUsable } from "./login.ts";

/** Disables every login of the runtime role but the current one. */
export async function finishRotation(context: SetupContext): Promise<SetupOutcome> {
  const { setup, secrets } = context;
  const { secret } = setup.database;
  const login = parseCredentials((await secretReader(secrets)(secret)).text, secret);
  // With a current login that does not work, nothing would be left.
  await requireUsable(context, login, secret);
  return await asOwner(context, async (owner) => {
    const others = await otherLogins(owner, login.username);
    await requireUnused(owner, others);
    for (const username of others)
      await owner.query(`alter role ${escapeIdentifier(username)} with nologin password null`);
    return { changed: others.map((username) => `login ${username} is disabled`), findings: [] };
  });
}

/** The logins of the runtime role, by the fence, that can log in. */
async function otherLogins(owner: Client, current: string): Promise<string[]> {
  const { rows } = await owner.query<{ name: string }>(
    "select rolname as name from pg_roles where oid = any (eclair_ami.logins()) and rolcanlogin and rolname <> $1 order by 1",
    [current],
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
