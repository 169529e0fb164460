import {
  DescribeInstanceAttributeCommand,
  DescribeKeyPairsCommand,
  type Instance,
} from "@aws-sdk/client-ec2";
import { GetInstanceProfileCommand } from "@aws-sdk/client-iam";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { accountId, region, vpcCidr, zones } from "../addresses.ts";
import { metadataFault } from "../front/faults.ts";
import type { HopLimits } from "../imds/hop-limit.ts";
import type { MetadataSource } from "../imds/server.ts";
import type { InstanceFacts } from "../imds/tree.ts";
import type { MotoCache } from "./moto-cache.ts";
import { motoEc2, motoIam, motoSts } from "./moto.ts";
import type { Instances } from "./instances.ts";
import type { Groups } from "./scaling.ts";

/** The data of the metadata service, from the controller's instances. */
export function metadataSource(instances: Instances, groups: Groups, cache: MotoCache): MetadataSource {
  const roleOf = cache.cachedByKey(readRole);
  const publicKeyOf = cache.cachedByKey(readPublicKey);

  const instanceAt = (address: string): Instance | undefined => {
    const ipv4 = address.replace(/^::ffff:/, "");
    return [...instances.managed.values()].find(({ instance }) => instance.PrivateIpAddress === ipv4)
      ?.instance;
  };
  return {
    fault: (address) => {
      const cluster = clusterOf(instanceAt(address));
      return cluster === undefined ? undefined : metadataFault(instances.lab, cluster)?.status;
    },
    factsByAddress: async (address) => {
      const instance = instanceAt(address);
      return (
        instance &&
        instanceFacts(
          instance,
          groups.targetState(instance.InstanceId ?? ""),
          instance.KeyName === undefined ? undefined : await publicKeyOf(instance.KeyName),
          await roleOf(instance.IamInstanceProfile?.Arn ?? ""),
        )
      );
    },
    userData: async (instanceId) => {
      const { UserData } = await motoEc2.send(
        new DescribeInstanceAttributeCommand({ InstanceId: instanceId, Attribute: "userData" }),
      );
      return UserData?.Value === undefined ? undefined : Buffer.from(UserData.Value, "base64");
    },
    roleCredentials: async (roleName, instanceId) => {
      const { Credentials } = await motoSts.send(
        new AssumeRoleCommand({
          RoleArn: `arn:aws:iam::${accountId}:role/${roleName}`,
          RoleSessionName: instanceId,
        }),
      );
      return {
        accessKeyId: Credentials?.AccessKeyId ?? "",
        secretAccessKey: Credentials?.SecretAccessKey ?? "",
        token: Credentials?.SessionToken ?? "",
        expiration: Credentials?.Expiration?.toISOString() ?? "",
      };
    },
  };
}

const clusterOf = (instance: Instance | undefined): string | undefined =>
  instance?.Tags?.find(({ Key }) => Key === tags.cluster)?.Value;

function instanceFacts(
  instance: Instance,
  targetState: InstanceFacts["targetState"],
  publicKey: string | undefined,
  roleName: string | undefined,
): InstanceFacts {
  const zone = zones.find((candidate) => candidate.name === instance.Placement?.AvailabilityZone);
  const keyName = instance.KeyName;
  const instanceTags =
    instance.MetadataOptions?.InstanceMetadataTags === "enabled"
      ? Object.fromEntries((instance.Tags ?? []).map((tag) => [tag.Key ?? "", tag.Value ?? ""]))
      : undefined;
  return {
    instanceId: instance.InstanceId ?? "",
    imageId: instance.ImageId ?? "",
    instanceType: instance.InstanceType ?? "",
    accountId,
    region,
    availabilityZone: zone?.name ?? "",
    architecture: instance.Architecture ?? "x86_64",
    privateIp: instance.PrivateIpAddress ?? "",
    macAddress: instance.NetworkInterfaces?.[0]?.MacAddress ?? "",
    subnetId: instance.SubnetId ?? "",
    subnetCidr: zone?.cidr ?? "",
    vpcId: instance.VpcId ?? "",
    vpcCidr,
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

async function readRole(profileArn: string): Promise<string | undefined> {
  const profileName = profileArn.split("/").at(-1);
  if (profileName === undefined || profileName === "") return undefined;
  const { InstanceProfile } = await motoIam.send(
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

async function readPublicKey(keyName: string): Promise<string | undefined> {
  const { KeyPairs } = await motoEc2.send(
    new DescribeKeyPairsCommand({ KeyNames: [keyName], IncludePublicKey: true }),
  );
  return KeyPairs?.[0]?.PublicKey;
}
