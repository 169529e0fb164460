import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  CreateLaunchTemplateCommand,
  DescribeLaunchTemplatesCommand,
  type EC2Client,
  type RequestLaunchTemplateData,
} from "@aws-sdk/client-ec2";
import { DescribeTargetGroupsCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { IAMClient } from "@aws-sdk/client-iam";
import {
  CreateDBInstanceCommand,
  DescribeDBInstancesCommand,
  RDSClient,
  type DBInstance,
} from "@aws-sdk/client-rds";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { ClusterSetup } from "../../../bootstrap/config/cluster-setup.ts";
import { NodeConfiguration } from "../../../bootstrap/config/node.ts";
import { apiVersion } from "../../../bootstrap/config/versions.ts";
import type { SetupResult } from "../../../bootstrap/setup/result.ts";
import { writeWhole } from "../../core/files.ts";
import { runSetup } from "../../nodes/cluster-setup.ts";
import { instancePolicy } from "../../policies/instance.ts";
import { operatorPolicy } from "../../policies/operator.ts";
import { setupPolicy } from "../../policies/setup.ts";
import { labSettings, type Target } from "../../target/target.ts";
import { minerPort, services, zones } from "../addresses.ts";
import type { LabFacts } from "../facts.ts";
import type { LabPlace } from "../place.ts";
import { findOrMake } from "./find-or-make.ts";
import { loadBalancer } from "./load-balancer.ts";
import { instanceRole, personsRole } from "./roles.ts";
import { recordTable } from "./table.ts";

/** Where what is known of a cluster in the lab stands, for the user to read and change. */
export const setupFile = (lab: LabPlace, name: string) => join(lab.state, "clusters", `${name}-setup.yaml`);
export const configurationFile = (lab: LabPlace, name: string) => join(lab.state, "clusters", `${name}.yaml`);

/**
 * What an account has ready before a node exists: database, table, load balancer, roles and launch template, all
 * made through the AWS APIs, and the document by which `init` finds them. Made once a lab.
 */
export async function labCluster(facts: LabFacts, target: Target, name: string): Promise<ClusterSetup> {
  const settings = labSettings(facts);
  const database = await databaseInstance(new RDSClient(settings), name);
  const setup = ClusterSetup.parse({
    apiVersion,
    kind: "ClusterSetup",
    cluster: name,
    chain: "regtest",
    secrets: { nodeSeed: `${name}/seeds`, channelSeed: `${name}/seeds`, onChain: `${name}/seeds` },
    database: {
      ownerSecret: database.MasterUserSecret?.SecretArn,
      secret: `${name}/database`,
      host: database.Endpoint?.Address,
    },
  });
  await recordTable(new DynamoDBClient(settings), setup.record.table);
  const group = await loadBalancer(target.elb, facts, name);
  const iam = new IAMClient(settings);
  const secrets = [`${name}/seeds`];
  const about = { name, table: setup.record.table, targetGroups: [group] };
  const { secret: runtime } = setup.database;
  const owner = database.MasterUserSecret?.SecretArn ?? "";
  const node = await instanceRole(
    iam,
    `${name}-node`,
    instancePolicy({ ...about, secrets: [...secrets, runtime] }),
  );
  const setUp = await instanceRole(
    iam,
    `${name}-setup`,
    setupPolicy({ ...about, secrets }, { owner, runtime }),
  );
  await personsRole(iam, `${name}-operator`, operatorPolicy({ ...about, secrets }, [node.role, setUp.role]));
  await launchTemplate(target.ec2, target.instance.type, facts, name, node.profile);
  return setup;
}

/** Makes the node of a cluster exist, by `init` from an image, and writes its configuration. */
export async function labNode(
  lab: LabPlace,
  facts: LabFacts,
  target: Target,
  { name, imageId }: { readonly name: string; readonly imageId: string },
): Promise<{ readonly file: string; readonly result: SetupResult }> {
  const setup = existsSync(setupFile(lab, name))
    ? ClusterSetup.parse(parse(readFileSync(setupFile(lab, name), "utf8")))
    : await labCluster(facts, target, name);
  mkdirSync(dirname(setupFile(lab, name)), { recursive: true });
  writeWhole(setupFile(lab, name), stringify(setup));
  const task = { action: "init", makeSecrets: true, walletKept: false } as const;
  const run = { imageId, template: name, profile: `${name}-setup` };
  const result = await runSetup(target, setup, task, run, new AbortController().signal);

  const { TargetGroups } = await target.elb.send(new DescribeTargetGroupsCommand({ Names: [name] }));
  const { ownerSecret: _owners, ...database } = setup.database;
  const configuration = {
    apiVersion,
    kind: "Node",
    cluster: name,
    chain: setup.chain,
    nodeId: result.nodeId,
    alias: name,
    secrets: setup.secrets,
    database,
    bitcoind: { local: { peers: [`${services.miner}:${minerPort}`] } },
    dataVolume: { sizeGibibytes: 2 },
    targetGroups: (TargetGroups ?? []).map(({ TargetGroupArn }) => TargetGroupArn),
    java: { heapMebibytes: 512 },
  };
  NodeConfiguration.parse(configuration);
  const file = configurationFile(lab, name);
  if (!existsSync(file)) writeWhole(file, stringify(configuration));
  return { file, result };
}

async function databaseInstance(client: RDSClient, name: string): Promise<DBInstance> {
  return await findOrMake(
    async () =>
      (await client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: name }))).DBInstances?.[0],
    async () => {
      const { DBInstance: made } = await client.send(
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
      return made;
    },
  );
}

async function launchTemplate(
  ec2: EC2Client,
  instanceType: string,
  facts: LabFacts,
  name: string,
  profile: string,
): Promise<void> {
  const data: RequestLaunchTemplateData = {
    InstanceType: instanceType as NonNullable<RequestLaunchTemplateData["InstanceType"]>,
    IamInstanceProfile: { Arn: profile },
    MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1, InstanceMetadataTags: "enabled" },
    InstanceInitiatedShutdownBehavior: "terminate",
    NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: facts.network?.subnetIds[zones[0]?.name ?? ""] }],
  };
  await findOrMake(
    async () =>
      (await ec2.send(new DescribeLaunchTemplatesCommand({ LaunchTemplateNames: [name] })))
        .LaunchTemplates?.[0],
    async () => {
      const { LaunchTemplate } = await ec2.send(
        new CreateLaunchTemplateCommand({ LaunchTemplateName: name, LaunchTemplateData: data }),
      );
      return LaunchTemplate;
    },
  );
}
