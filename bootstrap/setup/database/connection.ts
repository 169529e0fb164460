import type { Client } from "pg";
import { referenceOf } from "../../contract/configuration/secret-reference.ts";
import { sessionNames } from "../../contract/database-sessions.ts";
import { connect, defaultPatience } from "../../database/connect.ts";
import { databaseError } from "../../database/errors.ts";
import { secretReader } from "../../secrets/fetch.ts";
import { parseCredentials, type Credentials } from "../../secrets/shapes.ts";
import type { SetupContext } from "../context.ts";

/** The statements of a cluster setup can take longer than the statements of a node. */
const statementTimeoutMilliseconds = 60_000;

/** Uses the database as its owner. */
export async function asOwner<T>(context: SetupContext, use: (client: Client) => Promise<T>): Promise<T> {
  const { ownerSecret } = context.setup.database;
  const { id } = referenceOf(ownerSecret);
  const login = parseCredentials((await secretReader(context.secrets)(ownerSecret)).text, id);
  return await asRole(context, login, id, use);
}

/** @param secret the name of the login's secret, for error messages */
export async function asRole<T>(
  { setup, ca }: SetupContext,
  login: Credentials,
  secret: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const access = { database: setup.database, login, ca };
  let client: Client;
  try {
    client = await connect(access, sessionNames.setup, {
      ...defaultPatience,
      statement: statementTimeoutMilliseconds,
    });
  } catch (error) {
    throw databaseError(error, access, secret);
  }
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Whether a role can log in, with or without its privileges. */
export async function canLogIn(context: SetupContext, login: Credentials): Promise<boolean> {
  try {
    return await asRole(context, login, "", () => Promise.resolve(true));
  } catch {
    return false;
  }
}
