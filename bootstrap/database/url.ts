import type { NodeConfiguration } from "../contract/configuration/node.ts";
import { paths } from "../os/paths.ts";

/** An armed Eclair waits at most this long for its first connection. It is refreshed long before. */
export const armedTimeoutSeconds = 2 * 3600;

/**
 * The value of `eclair.db.postgres.database`. Eclair has no setting for TLS and builds its URL as
 * `jdbc:postgresql://$host:$port/$database`, so the database name carries the parameters of pgjdbc. `socketTimeout` is not
 * set, because it would also end the wait of an armed Eclair (pgjdbc 42.6, ConnectionFactoryImpl.enableSSL). The
 * supervisor's watchdog handles a database that stops answering.
 */
export function jdbcDatabase(name: string): string {
  const parameters = new URLSearchParams({
    sslmode: "verify-full",
    sslrootcert: paths.databaseCa,
    connectTimeout: "5",
    sslResponseTimeout: String(armedTimeoutSeconds * 1000),
  });
  // pgjdbc does not require that the slashes of a path are encoded.
  return `${name}?${parameters.toString().replaceAll("%2F", "/")}`;
}

/** The URL as Eclair builds it and stores it in `last_jdbcurl`. It is the same on every host and image. */
export function jdbcUrl({ database }: NodeConfiguration): string {
  return `jdbc:postgresql://${database.host}:${database.port}/${jdbcDatabase(database.name)}`;
}
