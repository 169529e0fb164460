import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { ClusterSetup, SetupTask } from "../contract/configuration/cluster-setup.ts";
import { EclairAmiError } from "../contract/errors.ts";
import { tableError } from "../contract/record/errors.ts";
import type { ClusterRecord, NodeIdentity } from "../contract/record/record.ts";
import type { ClusterTable } from "../contract/record/table.ts";
import type { ExpectedNode } from "../identity/expected.ts";

/** The inputs of every action of a cluster setup. */
export type SetupContext = {
  readonly setup: ClusterSetup;
  readonly task: SetupTask;
  readonly table: ClusterTable;
  readonly secrets: SecretsManagerClient;
  /** The certificate authorities that may have signed the database's certificate, in PEM. */
  readonly ca: string;
};

export const expectedOf = ({ setup }: SetupContext, node: NodeIdentity): ExpectedNode => ({
  cluster: setup.cluster,
  node,
  database: setup.database,
});

/** Uses the cluster table, and adds the remedy to an error. */
export async function onTable<T>(
  { table }: SetupContext,
  use: (table: ClusterTable) => Promise<T>,
): Promise<T> {
  try {
    return await use(table);
  } catch (error) {
    throw tableError(error, table.name, table.cluster);
  }
}

export const readRecord = (context: SetupContext): Promise<ClusterRecord | undefined> =>
  onTable(context, (table) => table.record());

/** A node belongs to one cluster: two databases with the same seeds would contain two states of the same channels. */
export async function requireNoOtherCluster(context: SetupContext, nodeId: string): Promise<void> {
  const owner = await onTable(context, (table) => table.ownerOf(nodeId));
  if (owner === undefined || owner === context.table.cluster) return;
  throw new EclairAmiError({
    code: "record.node-in-other-cluster",
    operation: "checking the cluster record",
    message: `the node ${nodeId} belongs to the cluster ${owner} already`,
    remedy: "use that cluster, or other secrets. docs/identity.md explains how to delete a cluster",
  });
}
