import type { NodeConfiguration } from "../config/node.ts";
import { places } from "../places.ts";

/**
 * What stands behind `eclair.db.postgres.database`. Eclair has no setting for TLS and builds its URL as
 * `jdbc:postgresql://$host:$port/$database`, so pgjdbc's parameters ride in the name.
 */
export function jdbcDatabase(name: string): string {
  const parameters = new URLSearchParams({
    sslmode: "verify-full",
    sslrootcert: places.databaseCa,
    ApplicationName: "eclair",
    tcpKeepAlive: "true",
    connectTimeout: "5",
    socketTimeout: "20",
  });
  // A path's slashes stand as they are.
  return `${name}?${parameters.toString().replaceAll("%2F", "/")}`;
}

/** The URL as Eclair puts it together and remembers it in `last_jdbcurl`: the same on every host and image. */
export function jdbcUrl({ database }: NodeConfiguration): string {
  return `jdbc:postgresql://${database.host}:${database.port}/${jdbcDatabase(database.name)}`;
}
