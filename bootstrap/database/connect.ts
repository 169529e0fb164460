import { Client } from "pg";
import type { DatabasePlace } from "../config/node.ts";
import type { Credentials } from "../secrets/shapes.ts";

export type DatabaseAccess = {
  readonly database: DatabasePlace;
  readonly login: Credentials;
  /** Certificates that may have signed the server's, in PEM. */
  readonly ca: string;
};

const connectMilliseconds = 5_000;
/** Eclair's renewal waits 5 s for its lock on the lease and then ends Eclair: what reads the lease is quicker. */
const quickMilliseconds = 900;
/** The server ends a statement itself; this is for a server that is gone. */
const answerMilliseconds = 4_000;

/** A connection with TLS, the server's certificate and name verified. */
export async function connect(
  { database, login, ca }: DatabaseAccess,
  applicationName: string,
  options: { readonly statementMilliseconds: number } = { statementMilliseconds: quickMilliseconds },
): Promise<Client> {
  const client = new Client({
    host: database.host,
    port: database.port,
    database: database.name,
    user: login.username,
    password: login.password,
    application_name: applicationName,
    ssl: { ca, rejectUnauthorized: true, servername: database.host },
    connectionTimeoutMillis: connectMilliseconds,
    statement_timeout: options.statementMilliseconds,
    query_timeout: options.statementMilliseconds + answerMilliseconds,
    keepAlive: true,
  });
  // A connection that breaks while nobody waits for it is noticed at its next use.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}
