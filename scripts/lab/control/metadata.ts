import {
  DescribeInstanceAttributeCommand,
  DescribeKeyPairsCommand,
  type Instance,
} from "@aws-sdk/client-ec2";
import { GetInstanceProfileCommand, IAMClient } from "@aws-sdk/client-iam";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { home, vpcCidr, type Scope } from "../addresses.ts";
import { metadataFault } from "../front/faults.ts";
import type { HopLimits } from "../imds/hop-limit.ts";
import { keptCredentials } from "../imds/role-credentials.ts";
import type { MetadataSource } from "../imds/server.ts";
import type { InstanceFacts, RoleCredentials } from "../imds/tree.ts";
import type { MotoCache } from "./moto-cache.ts";
import { motoClient, motoEc2In, motoSts } from "./moto.ts";
import { zoneOf, type Instances, type Managed } from "./instances.ts";
import type { Groups } from "./scaling.ts";

/** The data of the metadata service, from the controller's instances. */
export function metadataSource(instances: Instances, groups: Groups, cache: MotoCache): MetadataSource {
  const roleOf = cache.cachedByKey(readRole);
  const publicKeyOf = cache.cachedByKey((key) => readPublicKey(instances, key));
  const scopeOf = (instanceId: string): Scope => instances.managed.get(instanceId)?.scope ?? home;

  const instanceAt = (address: string): Managed | undefined => {
    const ipv4 = address.replace(/^::ffff:/, "");
    return [...instances.managed.values()].find(({ instance }) => instance.PrivateIpAddress === ipv4);
  };
  return {
    fault: (address) => {
      const cluster = clusterOf(instanceAt(address)?.instance);
      return cluster === undefined ? undefined : metadataFault(instances.lab, cluster)?.status;
    },
    factsByAddress: async (address) => {
      const managed = instanceAt(address);
      if (managed === undefined) return undefined;
      const { InstanceId = "", KeyName, IamInstanceProfile } = managed.instance;
      return instanceFacts(
        managed,
        groups.targetState(InstanceId),
        KeyName === undefined ? undefined : await publicKeyOf(InstanceId),
        await roleOf(IamInstanceProfile?.Arn ?? ""),
      );
    },
    userData: async (instanceId) => {
      const { UserData } = await motoEc2In(scopeOf(instanceId)).send(
        new DescribeInstanceAttributeCommand({ InstanceId: instanceId, Attribute: "userData" }),
      );
      return UserData?.Value === undefined ? undefined : Buffer.from(UserData.Value, "base64");
    },
    roleCredentials: keptCredentials((roleName, instanceId) =>
      assumeRole(roleName, instanceId, scopeOf(instanceId).accountId),
    ),
  };
}

async function assumeRole(roleName: string, instanceId: string, accountId: string): Promise<RoleCredentials> {
  const RoleArn = `arn:aws:iam::${accountId}:role/${roleName}`;
  const { Credentials } = await motoSts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: instanceId }));
  return {
    accessKeyId: Credentials?.AccessKeyId ?? "",
    secretAccessKey: Credentials?.SecretAccessKey ?? "",
    token: Credentials?.SessionToken ?? "",
    expiration: Credentials?.Expiration?.toISOString() ?? "",
  };
}

const clusterOf = (instance: Instance | undefined): string | undefined =>
  instance?.Tags?.find(({ Key }) => Key === tags.cluster)?.Value;

function instanceFacts(
  { instance, scope }: Managed,
  targetState: InstanceFacts["targetState"],
  publicKey: string | undefined,
  roleName: string | undefined,
): InstanceFacts {
  const zone = zoneOf(instance, scope);
  const isHome = scope.accountId === home.accountId && scope.region === home.region;
  const keyName = instance.KeyName;
  const instanceTags =
    instance.MetadataOptions?.InstanceMetadataTags === "enabled"
      ? Object.fromEntries((instance.Tags ?? []).map((tag) => [tag.Key ?? "", tag.Value ?? ""]))
      : undefined;
  return {
    instanceId: instance.InstanceId ?? "",
    imageId: instance.ImageId ?? "",
    instanceType: instance.InstanceType ?? "",
    ...{ accountId: scope.accountId, region: scope.region },
    availabilityZone: zone?.name ?? "",
    architecture: instance.Architecture ?? "x86_64",
    privateIp: instance.PrivateIpAddress ?? "",
    macAddress: instance.NetworkInterfaces?.[0]?.MacAddress ?? "",
    subnetId: instance.SubnetId ?? "",
    subnetCidr: isHome ? subnetOf(instance.PrivateIpAddress ?? "") : (zone?.cidr ?? ""),
    vpcId: instance.VpcId ?? "",
    vpcCidr: isHome ? vpcCidr : (zone?.cidr ?? ""),
    securityGroups: (instance.SecurityGroups ?? []).map((group) => group.GroupName ?? ""),
    reservationId: "r-0",
    launchedAt: instance.LaunchTime?.toISOString() ?? "",
    ...(keyName !== undefined && { keyName }),
    ...(publicKey !== undefined && { publicKey }),
    ...(roleName !== undefined && { roleName }),
    ...(instanceTags !== undefined && { tags: instanceTags }),
    ...(targetState !== undefined && { targetState }),
  };
}

/** Every subnet of the first region is a /24: those of the lab, and those of a stack's VPC. */
const subnetOf = (privateIp: string): string => privateIp.replace(/\d+$/, "0/24");

async function readRole(profileArn: string): Promise<string | undefined> {
  const profileName = profileArn.split("/").at(-1);
  if (profileName === undefined || profileName === "") return undefined;
  const accountId = profileArn.split(":")[4] ?? home.accountId;
  const { InstanceProfile } = await motoClient(IAMClient, { ...home, accountId }).send(
    new GetInstanceProfileCommand({ InstanceProfileName: profileName }),
  );
  return InstanceProfile?.Roles?.[0]?.RoleName;
}

export function hopLimitsOf(instances: Instances): HopLimits {
  const limits = new Map<string, number>();
  for (const { instance } of instances.managed.values())
    if (instance.PrivateIpAddress !== undefined)
      limits.set(instance.PrivateIpAddress, instance.MetadataOptions?.HttpPutResponseHopLimit ?? 1);
  return limits;
}

/** The public key that an instance was started with. */
async function readPublicKey({ managed }: Instances, instanceId: string): Promise<string | undefined> {
  const { instance: { KeyName: keyName = "" } = {}, scope = home } = managed.get(instanceId) ?? {};
  const { KeyPairs } = await motoEc2In(scope).send(
    new DescribeKeyPairsCommand({ KeyNames: [keyName], IncludePublicKey: true }),
  );
  return KeyPairs?.[0]?.PublicKey;
}
