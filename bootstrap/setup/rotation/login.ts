import type { Client } from "pg";
import { EclairAmiError, messageOf } from "../../contract/errors.ts";
import { minimumImageVersionWithLogins } from "../../database/fence.ts";
import { loginSql, settingsSql } from "../../database/roles.ts";
import type { Credentials } from "../../secrets/shapes.ts";
import type { SetupContext } from "../context.ts";
import { asRole } from "../database/connection.ts";
import { fenceFaults, fenceNotEnforced } from "../database/fence-checks.ts";
import { roleExists } from "../database/runtime-role.ts";

/** An image that knows only an older fence ends the sessions of its own login only, so it is refused from now on. */
export async function createLogin(owner: Client, login: Credentials, runtimeRole: string): Promise<void> {
  await owner.query("begin");
  try {
    // Its password would change below an Eclair that uses it.
    await requireNoSession(owner, [login.username], {
      operation: "preparing the rotation",
      remedy:
        "A standby changes to the current login within a minute; make an active instance a standby with `eclair-ami switchover`",
    });
    const exists = await roleExists(owner, login.username);
    if (exists) await requireMember(owner, login.username, runtimeRole);
    await owner.query(loginSql(login, runtimeRole, exists));
    await owner.query(settingsSql(login.username, runtimeRole));
    await owner.query(
      "update eclair_ami.fence set minimum_image_version = greatest(minimum_image_version, $1)",
      [minimumImageVersionWithLogins],
    );
    await owner.query("commit");
  } catch (error) {
    await owner.query("rollback");
    throw (error as { code?: string }).code === privilegeMissing ? withoutAdmin(runtimeRole, error) : error;
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const privilegeMissing = "42501";

/** From PostgreSQL 16 on, only a role with the ADMIN option on the runtime role may add a member to it. */
function withoutAdmin(runtimeRole: string, cause: unknown): EclairAmiError {
  return new EclairAmiError(
    {
      code: "database.privilege-missing",
      operation: "preparing the rotation",
      message: `the owner of the database may not create a login of ${runtimeRole}: ${messageOf(cause)}`,
      remedy: `as the role that created ${runtimeRole}, run: grant ${runtimeRole} to OWNER with admin option. Then run the command again`,
    },
    { cause },
  );
}

/** A role of the same name can belong to another cluster or to a program. */
async function requireMember(owner: Client, username: string, runtimeRole: string): Promise<void> {
  const { rows } = await owner.query<{ member: boolean }>("select pg_has_role($1, $2, 'member') as member", [
    username,
    runtimeRole,
  ]);
  if (rows[0]?.member === true) return;
  throw new EclairAmiError({
    code: "database.role-exists",
    operation: "preparing the rotation",
    message: `the server has a role ${username} already, which is no login of ${runtimeRole}`,
    remedy: "find out who uses this role, and rename or drop it. Then run the command again",
  });
}

/** @throws EclairAmiError `rotation.login-in-use`, with the address and the program of each session */
export async function requireNoSession(
  owner: Client,
  logins: readonly string[],
  { operation, remedy }: { readonly operation: string; readonly remedy: string },
): Promise<void> {
  const { rows } = await owner.query<{ session: string }>(
    `select distinct format('%s from %s (%s)', usename, coalesce(host(client_addr), 'the server itself'), application_name) as session
     from pg_stat_activity where usename = any ($1) order by 1`,
    [logins],
  );
  if (rows.length === 0) return;
  throw new EclairAmiError({
    code: "rotation.login-in-use",
    operation,
    message: `sessions use the login: ${rows.map(({ session }) => session).join("; ")}`,
    remedy: `find the instance with this address in \`eclair-ami status\`. ${remedy}, and run the command again`,
  });
}

/** Logs in as Eclair will, and checks that the login cannot bypass the fence. */
export async function requireUsable(
  context: SetupContext,
  login: Credentials,
  secret: string,
): Promise<void> {
  const faults = await asRole(context, login, secret, fenceFaults);
  if (faults.length > 0) throw fenceNotEnforced(faults);
}
