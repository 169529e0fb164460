import {
  CreateLaunchTemplateCommand,
  DescribeLaunchTemplatesCommand,
  type EC2Client,
  type RequestLaunchTemplateData,
} from "@aws-sdk/client-ec2";
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  type ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  GetInstanceProfileCommand,
  GetRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateDBInstanceCommand,
  DescribeDBInstancesCommand,
  RDSClient,
  type DBInstance,
} from "@aws-sdk/client-rds";
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { generateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { NodeConfiguration } from "../../../bootstrap/config/node.ts";
import { apiVersion } from "../../../bootstrap/config/versions.ts";
import { nodeIdOf } from "../../../bootstrap/identity/node-id.ts";
import { healthPort } from "../../../bootstrap/supervise/health.ts";
import { writeWhole } from "../../core/files.ts";
import { labSettings, type Target } from "../../target/target.ts";
import { minerPort, services, zones } from "../addresses.ts";
import type { LabFacts } from "../facts.ts";
import type { LabPlace } from "../place.ts";
import { nodePolicy } from "./policy.ts";

const lightningPort = 9735;

/** Where the node's configuration of a cluster in the lab stands, for the user to read and change. */
export const configurationFile = (lab: LabPlace, name: string) => join(lab.state, "clusters", `${name}.yaml`);

/**
 * What an account has ready before a node can be launched: secrets, database, load balancer, role and launch
 * template, all made through the AWS APIs, and the node's configuration that names them. Made once a lab.
 * @returns the configuration's file
 */
export async function labCluster(
  lab: LabPlace,
  facts: LabFacts,
  target: Target,
  name: string,
): Promise<string> {
  const file = configurationFile(lab, name);
  if (existsSync(file)) return file;
  const settings = labSettings(facts);
  const seeds = await seedSecret(new SecretsManagerClient(settings), `${name}/seeds`);
  const database = await databaseInstance(new RDSClient(settings), name);
  const databaseSecret = database.MasterUserSecret?.SecretArn ?? "";
  const group = await loadBalancer(target.elb, facts, name);
  const profile = await role(new IAMClient(settings), name, [seeds.arn, databaseSecret], group);
  await launchTemplate(target.ec2, target.instance.type, facts, name, profile);

  const configuration = {
    apiVersion,
    kind: "Node",
    cluster: name,
    chain: "regtest",
    nodeId: nodeIdOf(seeds.nodeSeed, "regtest"),
    alias: name,
    secrets: { nodeSeed: seeds.arn, channelSeed: seeds.arn, onChain: seeds.arn },
    database: { secret: databaseSecret, host: database.Endpoint?.Address ?? "" },
    bitcoind: { local: { peers: [`${services.miner}:${minerPort}`] } },
    dataVolume: { sizeGibibytes: 2 },
    targetGroups: [group],
    java: { heapMebibytes: 512 },
  };
  NodeConfiguration.parse(configuration);
  mkdirSync(dirname(file), { recursive: true });
  writeWhole(file, stringify(configuration));
  return file;
}

/** What a lookup finds, or else what is made: a run that was cut off can be run again. */
async function findOrMake<T>(
  find: () => Promise<T | undefined>,
  make: () => Promise<T | undefined>,
): Promise<T> {
  const found = await find().catch((error: unknown) => {
    if (error instanceof Error && /NotFound|NoSuchEntity/.test(error.name)) return undefined;
    throw error;
  });
  const result = found ?? (await make());
  if (result === undefined) throw new Error("the lab made nothing");
  return result;
}

async function seedSecret(
  client: SecretsManagerClient,
  id: string,
): Promise<{ arn: string; nodeSeed: Buffer }> {
  await findOrMake(
    () => client.send(new DescribeSecretCommand({ SecretId: id })),
    () =>
      client.send(
        new CreateSecretCommand({
          Name: id,
          SecretString: JSON.stringify({
            nodeSeed: randomBytes(32).toString("hex"),
            channelSeed: randomBytes(32).toString("base64"),
            mnemonic: generateMnemonic(wordlist, 256),
            passphrase: randomBytes(8).toString("hex"),
            birthday: Math.floor(Date.now() / 1000),
          }),
        }),
      ),
  );
  const { ARN = "", SecretString = "" } = await client.send(new GetSecretValueCommand({ SecretId: id }));
  const { nodeSeed } = JSON.parse(SecretString) as { nodeSeed: string };
  return { arn: ARN, nodeSeed: Buffer.from(nodeSeed, "hex") };
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
          MasterUsername: "eclair",
          ManageMasterUserPassword: true,
          AllocatedStorage: 20,
          StorageEncrypted: true,
        }),
      );
      return made;
    },
  );
}

/** A Network Load Balancer in front of the Lightning port that sends traffic to the active instance. */
async function loadBalancer(
  elb: ElasticLoadBalancingV2Client,
  facts: LabFacts,
  name: string,
): Promise<string> {
  const group = await findOrMake(
    async () => (await elb.send(new DescribeTargetGroupsCommand({ Names: [name] }))).TargetGroups?.[0],
    async () => {
      const { TargetGroups } = await elb.send(
        new CreateTargetGroupCommand({
          Name: name,
          Protocol: "TCP",
          Port: lightningPort,
          VpcId: facts.network?.vpcId,
          TargetType: "instance",
          HealthCheckProtocol: "HTTP",
          HealthCheckPort: String(healthPort),
          HealthCheckPath: "/active",
          HealthCheckIntervalSeconds: 5,
          HealthCheckTimeoutSeconds: 2,
          HealthyThresholdCount: 2,
          UnhealthyThresholdCount: 2,
        }),
      );
      return TargetGroups?.[0];
    },
  );
  const TargetGroupArn = group.TargetGroupArn ?? "";
  const balancer = await findOrMake(
    async () => (await elb.send(new DescribeLoadBalancersCommand({ Names: [name] }))).LoadBalancers?.[0],
    async () => {
      const Subnets = Object.values(facts.network?.subnetIds ?? {});
      const { LoadBalancers } = await elb.send(
        new CreateLoadBalancerCommand({ Name: name, Type: "network", Scheme: "internal", Subnets }),
      );
      return LoadBalancers?.[0];
    },
  );
  const { LoadBalancerArn } = balancer;
  await findOrMake(
    async () => (await elb.send(new DescribeListenersCommand({ LoadBalancerArn }))).Listeners?.[0],
    async () => {
      const DefaultActions = [{ Type: "forward" as const, TargetGroupArn }];
      const { Listeners } = await elb.send(
        new CreateListenerCommand({ LoadBalancerArn, Protocol: "TCP", Port: lightningPort, DefaultActions }),
      );
      return Listeners?.[0];
    },
  );
  return TargetGroupArn;
}

async function role(iam: IAMClient, name: string, secrets: string[], group: string): Promise<string> {
  const RoleName = `${name}-node`;
  await findOrMake(
    () => iam.send(new GetRoleCommand({ RoleName })),
    () =>
      iam.send(
        new CreateRoleCommand({
          RoleName,
          AssumeRolePolicyDocument: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
            ],
          }),
        }),
      ),
  );
  const PolicyDocument = JSON.stringify(nodePolicy({ cluster: name, secrets, targetGroups: [group] }));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "node", PolicyDocument }));
  const { InstanceProfile } = await findOrMake(
    () => iam.send(new GetInstanceProfileCommand({ InstanceProfileName: RoleName })),
    () => iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: RoleName })),
  );
  if (InstanceProfile?.Roles?.length !== 1)
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: RoleName, RoleName }));
  return InstanceProfile?.Arn ?? "";
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
