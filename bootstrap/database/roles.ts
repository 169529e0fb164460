import { escapeIdentifier, escapeLiteral } from "pg";
import type { Credentials } from "../secrets/shapes.ts";
import { scramVerifier } from "./password.ts";

/**
 * The runtime role's own limits. A node that was frozen inside a transaction holds a lock that a takeover waits for,
 * and a host that is gone must not keep its session; no limit on statements, or a migration of Eclair's could be cut
 * off. `search_path` keeps the name `lease` from meaning another schema's table.
 */
const limits = {
  idle_in_transaction_session_timeout: "10s",
  tcp_keepalives_idle: "5",
  tcp_keepalives_interval: "2",
  tcp_keepalives_count: "3",
  tcp_user_timeout: "11s",
  search_path: "public",
} as const;

/** Makes the role that Eclair and the supervisor connect as, or gives the one there is its password. */
export function runtimeRoleSql({ username, password }: Credentials, exists: boolean): string {
  const role = escapeIdentifier(username);
  const verifier = escapeLiteral(scramVerifier(password));
  return [
    `${exists ? "alter" : "create"} role ${role} with login password ${verifier}`,
    // The owner reads what the role makes.
    `grant ${role} to current_user`,
  ].join(";\n");
}

export function limitsSql(username: string): string {
  const role = escapeIdentifier(username);
  return Object.entries(limits)
    .map(([name, value]) => `alter role ${role} set ${name} = ${escapeLiteral(value)}`)
    .join(";\n");
}

/**
 * What the runtime role may do: make Eclair's schemas and tables, take and renew the lease, read what is ours. It owns
 * neither the database nor `public`, `lease` or our schema: the owner of a schema can drop what is in it.
 */
export function grantsSql(username: string, database: string): string {
  const role = escapeIdentifier(username);
  return `
revoke create on schema public from public;
grant connect, create, temporary on database ${escapeIdentifier(database)} to ${role};
grant usage, create on schema public to ${role};
revoke all on public.lease from public, ${role};
grant select, insert, update on public.lease to ${role};
grant usage on schema eclair_ami to ${role};
grant select on all tables in schema eclair_ami to ${role};
grant execute on function eclair_ami.raise_counter(text), eclair_ami.describe_holder(text, text, text),
  eclair_ami.require_holder() to ${role};`;
}
