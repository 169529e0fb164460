import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Client } from "pg";
import type { ClusterSetup, SetupTask } from "../config/cluster-setup.ts";
import { connect } from "../database/connect.ts";
import { BootFailure } from "../failure.ts";
import { explainDatabase } from "../database/verify.ts";
import type { ExpectedNode } from "../identity/guards.ts";
import { explainTable } from "../record/failures.ts";
import type { ClusterRecord, NodeIdentity } from "../record/record.ts";
import type { ClusterTable } from "../record/table.ts";
import { referenceOf, secretReader } from "../secrets/fetch.ts";
import { credentialsIn, type Credentials } from "../secrets/shapes.ts";

/** What every set-up has at hand. */
export type Context = {
  readonly setup: ClusterSetup;
  readonly task: SetupTask;
  readonly table: ClusterTable;
  readonly secrets: SecretsManagerClient;
  /** Certificates that may have signed the database's, in PEM. */
  readonly ca: string;
};

export const expectedOf = ({ setup }: Context, node: NodeIdentity): ExpectedNode => ({
  cluster: setup.cluster,
  node,
  database: setup.database,
});

/** Uses the cluster's table; says what is wrong when it can't be used. */
export async function onTable<T>({ table }: Context, use: (table: ClusterTable) => Promise<T>): Promise<T> {
  try {
    return await use(table);
  } catch (error) {
    throw explainTable(error, table.name, table.cluster);
  }
}

export const recordOf = (context: Context): Promise<ClusterRecord | undefined> =>
  onTable(context, (table) => table.record());

/** One node is one cluster's: two databases of the same seeds would be two states of the same channels. */
export async function requireNoOtherCluster(context: Context, nodeId: string): Promise<void> {
  const owner = await onTable(context, (table) => table.ownerOf(nodeId));
  if (owner === undefined || owner === context.table.cluster) return;
  throw new BootFailure({
    code: "record.node-taken",
    cause: `${nodeId} is the node of the cluster ${owner} already`,
    remedy: `name that cluster, or other secrets; docs/identity.md says how a cluster is given up for good`,
  });
}

/** Uses the database as its owner, whose statements may take their time. */
export async function asOwner<T>(context: Context, use: (client: Client) => Promise<T>): Promise<T> {
  const { ownerSecret } = context.setup.database;
  const login = credentialsIn(await secretReader(context.secrets)(ownerSecret), referenceOf(ownerSecret).id);
  return await asRole(context, login, referenceOf(ownerSecret).id, use);
}

export async function asRole<T>(
  { setup, ca }: Context,
  login: Credentials,
  secret: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const access = { database: setup.database, login, ca };
  let client: Client;
  try {
    client = await connect(access, "eclair-ami-setup", { statementMilliseconds: 60_000 });
  } catch (error) {
    throw explainDatabase(error, access, secret);
  }
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Whether a role can log in already, with its privileges or without. */
export async function canLogIn(context: Context, login: Credentials): Promise<boolean> {
  try {
    return await asRole(context, login, "", () => Promise.resolve(true));
  } catch {
    return false;
  }
}
