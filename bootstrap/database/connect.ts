import { Client } from "pg";
import type { DatabaseEndpoint } from "../contract/configuration/node.ts";
import type { Credentials } from "../secrets/shapes.ts";

export type DatabaseAccess = {
  readonly database: DatabaseEndpoint;
  readonly login: Credentials;
  /** The certificate authorities that may have signed the server's certificate, in PEM. */
  readonly ca: string;
};

/** How long a connection waits, in milliseconds. */
export type Patience = {
  readonly connect: number;
  /** The server ends a statement that takes longer. */
  readonly statement: number;
  /** After this additional time without an answer, the server counts as unreachable. */
  readonly network: number;
};

/** A statement ends before the 5 s that Eclair waits for its lock on the lease: Eclair exits when it cannot renew. */
export const defaultPatience: Patience = { connect: 5_000, statement: 900, network: 4_000 };

/** Opens a connection over TLS, and verifies the certificate and the name of the server. */
export async function connect(
  { database, login, ca }: DatabaseAccess,
  applicationName: string,
  patience: Patience = defaultPatience,
): Promise<Client> {
  const client = new Client({
    host: database.host,
    port: database.port,
    database: database.name,
    user: login.username,
    password: login.password,
    application_name: applicationName,
    ssl: { ca, rejectUnauthorized: true, servername: database.host },
    connectionTimeoutMillis: patience.connect,
    statement_timeout: patience.statement,
    query_timeout: patience.statement + patience.network,
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
