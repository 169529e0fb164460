import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { isScalar, parseDocument, visit } from "yaml";
import { chains, type Chain } from "../../bootstrap/contract/configuration/node.ts";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { ClusterTable, documentClient } from "../../bootstrap/contract/record/table.ts";
import { stackNames } from "../../infra/stack-names.ts";
import { exampleClusterSetup, exampleNode } from "../cluster/configuration/example.ts";
import type { Target } from "../target/target.ts";
import { outputsOf } from "./cloudformation/stacks.ts";

/** What the documents of a node contain of its stacks. */
export type DeployedCluster = {
  readonly cluster: string;
  readonly chain: Chain;
  readonly table: string;
  readonly database: { readonly host: string; readonly port: number; readonly name: string };
  readonly ownerSecretArn: string;
  readonly volumeKeyArn: string;
  readonly targetGroupArn: string;
  readonly publicAddresses: readonly string[];
  /** Undefined before `init`. */
  readonly nodeId: string | undefined;
};

/** @throws EclairAmiError `stack.not-deployed` */
export async function deployedCluster(target: Target, cluster: string): Promise<DeployedCluster> {
  const stackName = stackNames(cluster).state;
  const outputs = await outputsOf(target, stackName);
  if (outputs === undefined)
    throw new EclairAmiError({
      code: "stack.not-deployed",
      operation: `reading the stacks of ${cluster}`,
      message: `${target.region} has no complete stack ${stackName}`,
      remedy: "run `eclair-ami stack deploy`, or name another cluster or region",
      exitCode: 2,
    });
  const output = (key: string) => outputs.get(key) ?? "";
  const chain = chains.find((name) => name === output("Chain"));
  if (chain === undefined) throw new Error(`the stack ${stackName} names no chain`);
  const table = output("Table");
  const record = await new ClusterTable(
    documentClient(target.client(DynamoDBClient)),
    table,
    cluster,
  ).record();
  return {
    cluster,
    chain,
    table,
    database: {
      host: output("DatabaseHost"),
      port: Number(output("DatabasePort")),
      name: output("DatabaseName"),
    },
    ownerSecretArn: output("DatabaseOwnerSecretArn"),
    volumeKeyArn: output("VolumeKeyArn"),
    targetGroupArn: output("TargetGroupArn"),
    publicAddresses: output("PublicAddresses").split(","),
    nodeId: record?.node.nodeId,
  };
}

/** The configuration of a node with the resources of its stacks, and with the comments of the example. */
export const nodeOf = (deployed: DeployedCluster): string =>
  filled(exampleNode(deployed.chain), deployed, {
    alias: deployed.cluster,
    ...(deployed.nodeId !== undefined && { nodeId: deployed.nodeId }),
    publicAddresses: deployed.publicAddresses,
    "chainVolume.kmsKeyId": deployed.volumeKeyArn,
    targetGroupArns: [deployed.targetGroupArn],
  });

/** The document for `init` and the other commands of the cluster setup. */
export const clusterSetupOf = (deployed: DeployedCluster): string =>
  filled(exampleClusterSetup(deployed.chain), deployed, { "database.ownerSecret": deployed.ownerSecretArn });

/** An example with the values of a cluster in place of the words in capitals. */
function filled(
  example: string,
  { cluster, table, database }: DeployedCluster,
  values: Readonly<Record<string, unknown>>,
): string {
  const document = parseDocument(example);
  visit(document, {
    Scalar: (_, node) => {
      if (isScalar(node) && typeof node.value === "string")
        node.value = node.value.replace(/^CLUSTER(?=\/|$)/, cluster);
    },
  });
  const all = {
    "record.table": table,
    "database.host": database.host,
    "database.port": database.port,
    "database.name": database.name,
    ...values,
  };
  for (const [path, value] of Object.entries(all)) document.setIn(path.split("."), value);
  return document.toString({ lineWidth: 0 });
}
