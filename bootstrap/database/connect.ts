import { Client } from "pg";
import type { DatabaseEndpoint } from "../contract/configuration/node.ts";
import type { Credentials } from "../secrets/shapes.ts";

export type DatabaseAccess = {
  readonly database: DatabaseEndpoint;
  readonly login: Credentials;
  /** The certificate authorities that may have signed the server's certificate, in PEM. */
  readonly ca: string;
};

const connectTimeoutMilliseconds = 5_000;
/** Shorter than the 5 s that Eclair waits for its lock on the lease: Eclair exits when it cannot renew. */
const defaultStatementTimeoutMilliseconds = 900;
/** The server ends a late statement itself. After this additional time, the server counts as unreachable. */
const networkTimeoutMilliseconds = 4_000;

/** Opens a connection over TLS, and verifies the certificate and the name of the server. */
export async function connect(
  { database, login, ca }: DatabaseAccess,
  applicationName: string,
  statementTimeoutMilliseconds = defaultStatementTimeoutMilliseconds,
): Promise<Client> {
  const client = new Client({
    host: database.host,
    port: database.port,
    database: database.name,
    user: login.username,
    password: login.password,
    application_name: applicationName,
    ssl: { ca, rejectUnauthorized: true, servername: database.host },
    connectionTimeoutMillis: connectTimeoutMilliseconds,
    statement_timeout: statementTimeoutMilliseconds,
    query_timeout: statementTimeoutMilliseconds + networkTimeoutMilliseconds,
    keepAlive: true,
  });
  // The next statement reports a connection that broke while it was idle.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}
