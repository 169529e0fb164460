import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { IAMClient } from "@aws-sdk/client-iam";
import {
  CreateDBInstanceCommand,
  DescribeDBInstancesCommand,
  RDSClient,
  type DBInstance,
} from "@aws-sdk/client-rds";
import { apiVersion } from "../../bootstrap/contract/configuration/api-version.ts";
import { ClusterSetup } from "../../bootstrap/contract/configuration/cluster-setup.ts";
import { setupPolicy } from "../../infra/policies/cluster-setup.ts";
import { instancePolicy } from "../../infra/policies/instance.ts";
import { operatorPolicy } from "../../infra/policies/operator.ts";
import type { LabFacts } from "../lab/facts.ts";
import { roleName } from "../../infra/cluster/role-names.ts";
import type { Target } from "../target/target.ts";
import { findOrCreate } from "./find-or-create.ts";
import { createLaunchTemplate } from "./launch-template.ts";
import { createLoadBalancer } from "./load-balancer.ts";
import { createInstanceRole, createUserRole } from "./roles.ts";
import { createClusterTable } from "./table.ts";

/**
 * Creates the AWS resources that a cluster needs before its node exists: database, table, load balancer, roles and launch
 * template.
 * @returns the document for `init`
 */
export async function createClusterResources(
  facts: LabFacts,
  target: Target,
  name: string,
): Promise<ClusterSetup> {
  const database = await createDatabase(target.client(RDSClient), name);
  const ownerSecret = database.MasterUserSecret?.SecretArn ?? "";
  const setup = ClusterSetup.parse({
    apiVersion,
    kind: "ClusterSetup",
    cluster: name,
    chain: "regtest",
    secrets: { nodeSeed: `${name}/seeds`, channelSeed: `${name}/seeds`, onChain: `${name}/seeds` },
    database: { ownerSecret, secret: `${name}/database`, host: database.Endpoint?.Address },
  });
  await createClusterTable(target.client(DynamoDBClient), setup.record.table);
  const targetGroupArn = await createLoadBalancer(target.client(ElasticLoadBalancingV2Client), facts, name);
  const nodeProfileArn = await createRoles(target.client(IAMClient), setup, ownerSecret, targetGroupArn);
  await createLaunchTemplate(target, facts, name, nodeProfileArn);
  return setup;
}

/** @returns the ARN of the node's instance profile */
async function createRoles(
  iam: IAMClient,
  { cluster: name, record, database }: ClusterSetup,
  owner: string,
  targetGroupArn: string,
): Promise<string> {
  const seeds = [`${name}/seeds`];
  const { secret: runtime } = database;
  const cluster = { name, table: record.table, secrets: seeds, targetGroupArns: [targetGroupArn] };
  // The login of a remote bitcoind, for configurations with `bitcoind.remotes`.
  const remote = `${name}/bitcoind`;
  const node = await createInstanceRole(
    iam,
    roleName(name, "node"),
    instancePolicy({ ...cluster, secrets: [...seeds, runtime, remote] }),
  );
  const setup = await createInstanceRole(
    iam,
    roleName(name, "setup"),
    setupPolicy(cluster, { owner, runtime }),
  );
  await createUserRole(
    iam,
    roleName(name, "operator"),
    operatorPolicy(cluster, [node.roleArn, setup.roleArn]),
  );
  return node.profileArn;
}

async function createDatabase(client: RDSClient, name: string): Promise<DBInstance> {
  return await findOrCreate(
    async () =>
      (await client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: name }))).DBInstances?.[0],
    async () => {
      const { DBInstance: created } = await client.send(
        new CreateDBInstanceCommand({
          DBInstanceIdentifier: name,
          DBInstanceClass: "db.t4g.medium",
          Engine: "postgres",
          DBName: "eclair",
          MasterUsername: "postgres",
          ManageMasterUserPassword: true,
          AllocatedStorage: 20,
          StorageEncrypted: true,
        }),
      );
      return created;
    },
  );
}
