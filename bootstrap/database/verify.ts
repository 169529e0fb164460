import { setTimeout as sleep } from "node:timers/promises";
import { BootFailure, messageOf } from "../failure.ts";
import { connect, type DatabaseAccess } from "./connect.ts";
import { readDatabaseState, type DatabaseState } from "./state.ts";

const patienceMilliseconds = 60_000;
const firstPauseMilliseconds = 200;
const longestPauseMilliseconds = 3_000;

/**
 * Looks at the database, over TLS that was verified, as the role that the node has. Waits for one that is not up yet.
 * @returns what it says of itself
 */
export async function lookAtDatabase(access: DatabaseAccess, secret: string): Promise<DatabaseState> {
  const end = performance.now() + patienceMilliseconds;
  let pause = firstPauseMilliseconds;
  for (;;) {
    try {
      const client = await connect(access, "eclair-bootstrap");
      try {
        return await readDatabaseState(client);
      } finally {
        await client.end();
      }
    } catch (error) {
      const failure = explainDatabase(error, access, secret);
      if (!failure.heals || performance.now() > end) throw failure;
    }
    await sleep(pause * (0.5 + Math.random() / 2));
    pause = Math.min(pause * 2, longestPauseMilliseconds);
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html, classes 28 and 3D */
const refusedLogin = new Set(["28000", "28P01"]);
const noSuchDatabase = "3D000";
const noPrivilege = "42501";
/** Node's and OpenSSL's codes for a certificate that proves nothing. */
const tlsCodes = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/;

/** Why the database can't be used; `secret` names the login. */
export function explainDatabase(
  error: unknown,
  { database }: Pick<DatabaseAccess, "database">,
  secret: string,
): BootFailure {
  const { code = "" } = error as { code?: string };
  const server = `${database.host}:${database.port}`;
  const message = messageOf(error);
  if (refusedLogin.has(code))
    return new BootFailure(
      {
        code: "database.login",
        cause: `${server} refused the user and password of secret ${secret}: ${message}`,
        remedy: "look whether the secret is this database's, and its latest version",
      },
      { cause: error },
    );
  if (code === noSuchDatabase)
    return new BootFailure(
      {
        code: "database.absent",
        cause: `${server} has no database ${database.name}`,
        remedy: "correct database.name in the node's configuration",
      },
      { cause: error },
    );
  if (code === noPrivilege)
    return new BootFailure(
      {
        code: "database.denied",
        cause: `${server} does not let the user of secret ${secret} do what a node must: ${message}`,
        remedy: "run `eclair-ami verify`; `eclair-ami init` gives the runtime role its privileges",
      },
      { cause: error },
    );
  if (tlsCodes.test(code) || message === "The server does not support SSL connections")
    return new BootFailure(
      {
        code: "database.tls",
        cause: `${server} can't prove who it is: ${message}`,
        remedy:
          "use the host name that stands in its certificate, signed by RDS' certificate authority, with TLS on",
      },
      { cause: error },
    );
  return new BootFailure(
    {
      code: "database.unreachable",
      cause: `${server} can't be reached: ${code} ${message}`,
      remedy: "look at the database, its security group and the subnets' routes; it is tried again",
      heals: true,
    },
    { cause: error },
  );
}
