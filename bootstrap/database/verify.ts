import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { sessionNames } from "../contract/database-sessions.ts";
import { EclairAmiError } from "../contract/errors.ts";
import { connect, type DatabaseAccess } from "./connect.ts";
import { databaseError } from "./errors.ts";
import { readDatabaseState, type DatabaseState } from "./state.ts";

const timeoutMilliseconds = 60_000;
const firstDelayMilliseconds = 200;
const longestDelayMilliseconds = 3_000;

/**
 * Reads the state of the database as the role of the node, over verified TLS. Retries while the database is unreachable.
 * @param secret the name of the login's secret, for error messages
 * @param privateIp the address of this instance, from the metadata service
 */
export async function inspectDatabase(
  access: DatabaseAccess,
  secret: string,
  privateIp: string,
): Promise<DatabaseState> {
  const deadline = performance.now() + timeoutMilliseconds;
  let delay = firstDelayMilliseconds;
  for (;;) {
    try {
      const client = await connect(access, sessionNames.boot);
      try {
        await requireOwnAddress(client, access, privateIp);
        return await readDatabaseState(client);
      } finally {
        await client.end();
      }
    } catch (thrown) {
      if (thrown instanceof EclairAmiError) throw thrown;
      const error = databaseError(thrown, access, secret);
      if (!error.retryable || performance.now() > deadline) throw error;
    }
    await sleep(delay * (0.5 + Math.random() / 2));
    delay = Math.min(delay * 2, longestDelayMilliseconds);
  }
}

/**
 * The fence distinguishes hosts by the address that the database sees, and the doors of the other hosts send connections to
 * this address.
 */
async function requireOwnAddress(
  client: Client,
  { database }: DatabaseAccess,
  privateIp: string,
): Promise<void> {
  const { rows } = await client.query<{ address: string | null }>(
    "select host(inet_client_addr()) as address",
  );
  const seen = rows[0]?.address ?? "unknown";
  if (seen === privateIp) return;
  throw new EclairAmiError({
    code: "database.address-translated",
    operation: "checking the connection to the database",
    message: `${database.host} sees this host as ${seen}, but the address of the instance is ${privateIp}: the fence could not distinguish the hosts of the node`,
    remedy:
      "connect to the database directly, over IPv4 and the primary network interface, without RDS Proxy, a NAT gateway or a pooler in between: docs/failover.md, network requirements of the fence",
  });
}
