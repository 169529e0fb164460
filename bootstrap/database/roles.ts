import { escapeIdentifier, escapeLiteral } from "pg";
import type { Credentials } from "../secrets/shapes.ts";
import { scramVerifier } from "./password.ts";

/**
 * The limits of every login. A takeover waits for the locks of a node that was frozen inside a transaction, and for
 * the sessions of a host that is lost: both end before the default lease (40 s) does. Sessions must outlive 20 s without packets,
 * because Eclair ends with a write that fails. TCP doubles the time to its next attempt (RFC 6298): when packets are lost for 20 s,
 * TCP sends the data again at most 27 s after the first attempt. Statements have no limit, because it could end a migration of Eclair's
 * schemas. `search_path` ensures that the name `lease` always means `public.lease`.
 */
const limits = {
  idle_in_transaction_session_timeout: "35s",
  tcp_keepalives_idle: "11",
  tcp_keepalives_interval: "8",
  tcp_keepalives_count: "3",
  tcp_user_timeout: "35s",
  search_path: "public",
} as const;

/** The limits as `pg_roles.rolconfig` has them. */
export const limitSettings: readonly string[] = Object.entries(limits).map(
  ([name, value]) => `${name}=${value}`,
);

/** Creates the runtime role of a node whose logins are other roles. */
export function runtimeRoleSql(runtimeRole: string): string {
  const role = escapeIdentifier(runtimeRole);
  return `create role ${role} with nologin;\ngrant ${role} to current_user`;
}

/** Creates a login of the runtime role, or sets the password of an existing one. */
export function loginSql({ username, password }: Credentials, runtimeRole: string, exists: boolean): string {
  const login = escapeIdentifier(username);
  const verifier = escapeLiteral(scramVerifier(password));
  return [
    `${exists ? "alter" : "create"} role ${login} with login password ${verifier}`,
    // Permits the owner to read the tables that the role creates, and to see and end the sessions of the login.
    `grant ${login} to current_user`,
    ...(username === runtimeRole ? [] : [`grant ${escapeIdentifier(runtimeRole)} to ${login}`]),
  ].join(";\n");
}

/**
 * Sets the limits of a login: a role does not pass on its settings to its members. Every login except the runtime role itself
 * also gets the setting `role`. It makes the runtime role the owner of the objects that the login creates.
 */
export function settingsSql(username: string, runtimeRole: string): string {
  const role = escapeIdentifier(username);
  const settings = { ...limits, ...(username !== runtimeRole && { role: runtimeRole }) };
  return Object.entries(settings)
    .map(([name, value]) => `alter role ${role} set ${name} = ${escapeLiteral(value)}`)
    .join(";\n");
}

/**
 * The privileges of the runtime role: create Eclair's schemas and tables, take and renew the lease, read the schema
 * `eclair_ami`. The role owns neither the database nor `public`, `lease` or `eclair_ami`, because the owner of a schema can
 * drop everything in it.
 */
export function grantsSql(runtimeRole: string, database: string): string {
  const role = escapeIdentifier(runtimeRole);
  return `
revoke create on schema public from public;
grant connect, create, temporary on database ${escapeIdentifier(database)} to ${role};
grant usage, create on schema public to ${role};
revoke all on public.lease from public, ${role};
grant select, insert, update on public.lease to ${role};
grant usage on schema eclair_ami to ${role};
grant select on all tables in schema eclair_ami to ${role};
grant execute on function eclair_ami.raise_counter(text), eclair_ami.note_processed_height(text, integer),
  eclair_ami.describe_holder(text, text, text),
  eclair_ami.require_holder(), eclair_ami.logins(), eclair_ami.end_superseded_sessions(), eclair_ami.register_claimant(text), eclair_ami.acknowledge_claimants(text, inet[]),
  eclair_ami.sessions_at(inet), eclair_ami.claim_lease(text, bigint, text) to ${role};`;
}
