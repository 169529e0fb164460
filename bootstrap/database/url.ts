import type { NodeConfiguration } from "../config/node.ts";
import { places } from "../places.ts";

/** How long an armed Eclair may be held before its first connection: longer than it is ever kept. */
export const patienceSeconds = 2 * 3600;

/** What Eclair's sessions call themselves in `pg_stat_activity` and in the server's log. */
export const eclairSessions = "eclair";

/**
 * What stands behind `eclair.db.postgres.database`. Eclair has no setting for TLS and builds its URL as
 * `jdbc:postgresql://$host:$port/$database`, so pgjdbc's parameters ride in the name. There is no `socketTimeout`: it
 * would also end the wait of an armed Eclair (pgjdbc 42.6, ConnectionFactoryImpl.enableSSL), and for a database that no
 * longer answers there is the supervisor's watchdog.
 */
export function jdbcDatabase(name: string): string {
  const parameters = new URLSearchParams({
    sslmode: "verify-full",
    sslrootcert: places.databaseCa,
    ApplicationName: eclairSessions,
    connectTimeout: "5",
    sslResponseTimeout: String(patienceSeconds * 1000),
  });
  // A path's slashes stand as they are.
  return `${name}?${parameters.toString().replaceAll("%2F", "/")}`;
}

/** The URL as Eclair puts it together and remembers it in `last_jdbcurl`: the same on every host and image. */
export function jdbcUrl({ database }: NodeConfiguration): string {
  return `jdbc:postgresql://${database.host}:${database.port}/${jdbcDatabase(database.name)}`;
}
