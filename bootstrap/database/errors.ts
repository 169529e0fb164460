import { EclairAmiError, type ErrorFacts, messageOf } from "../contract/errors.ts";
import type { DatabaseAccess } from "./connect.ts";

const operation = "connecting to the database";

/** https://www.postgresql.org/docs/current/errcodes-appendix.html, classes 28 and 3D */
const loginRefused = new Set(["28000", "28P01"]);
const databaseNotFound = "3D000";
const privilegeMissing = "42501";
/** Codes of Node and OpenSSL for a certificate that cannot be verified. */
const tlsCodes = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/;

/**
 * An error of a connection or a statement, with its remedy.
 * @param secret the name of the login's secret
 */
export function databaseError(
  error: unknown,
  { database }: Pick<DatabaseAccess, "database">,
  secret: string,
): EclairAmiError {
  const { code = "" } = error as { code?: string };
  const server = `${database.host}:${database.port}`;
  const message = messageOf(error);
  const failure = (facts: Pick<ErrorFacts, "code" | "message" | "remedy" | "retryable">) =>
    new EclairAmiError({ operation, ...facts }, { cause: error });
  if (loginRefused.has(code))
    return failure({
      code: "database.login-refused",
      message: `${server} refused the user name and password of secret ${secret}: ${message}`,
      remedy: "check that the secret belongs to this database, and that it contains the current password",
    });
  if (code === databaseNotFound)
    return failure({
      code: "database.not-found",
      message: `${server} has no database ${database.name}`,
      remedy: "correct database.name in the node's configuration",
    });
  if (code === privilegeMissing)
    return failure({
      code: "database.privilege-missing",
      message: `${server} denied a privilege to the user of secret ${secret}: ${message}`,
      remedy: "run `eclair-ami verify`. `eclair-ami init` grants the runtime role its privileges",
    });
  if (tlsCodes.test(code) || message === "The server does not support SSL connections")
    return failure({
      code: "database.certificate-invalid",
      message: `the TLS connection to ${server} cannot be verified: ${message}`,
      remedy:
        "enable TLS on the server, and use the host name in its certificate. A certificate authority of RDS must have signed the certificate",
    });
  return failure({
    code: "database.unreachable",
    message: `${server} cannot be reached: ${code} ${message}`,
    remedy:
      "check the database, its security group and the routes of the subnets. The program tries again by itself",
    retryable: true,
  });
}
