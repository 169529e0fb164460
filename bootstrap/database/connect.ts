import { Client } from "pg";
import type { NodeConfiguration } from "../config/node.ts";
import type { Credentials } from "../secrets/shapes.ts";

export type DatabaseAccess = {
  readonly database: NodeConfiguration["database"];
  readonly login: Credentials;
  /** Certificates that may have signed the server's, in PEM. */
  readonly ca: string;
};

const connectMilliseconds = 5_000;
const queryMilliseconds = 5_000;

/** A connection with TLS, the server's certificate and name verified. */
export async function connect(
  { database, login, ca }: DatabaseAccess,
  applicationName: string,
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
    query_timeout: queryMilliseconds,
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
