import { DescribeInstanceAttributeCommand, type Instance } from "@aws-sdk/client-ec2";
import { GetInstanceProfileCommand } from "@aws-sdk/client-iam";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { clusterTag } from "../../../bootstrap/aws/tags.ts";
import { accountId, region, vpcCidr, zones } from "../addresses.ts";
import { metadataFault } from "../front/faults.ts";
import type { HopLimits } from "../imds/hop-limit.ts";
import type { MetadataSource } from "../imds/server.ts";
import type { InstanceFacts } from "../imds/tree.ts";
import { motoEc2, motoIam, motoSts } from "./aws.ts";
import { publicKeyOf, type Instances } from "./instances.ts";
import type { Groups } from "./scaling.ts";

/** Answers the metadata service from what the controller knows of its instances. */
export function metadataSource(instances: Instances, groups: Groups): MetadataSource {
  const instanceAt = (address: string): Instance | undefined => {
    const plain = address.replace(/^::ffff:/, "");
    return [...instances.managed.values()].find(({ instance }) => instance.PrivateIpAddress === plain)
      ?.instance;
  };
  return {
    fault: (address) => {
      const cluster = clusterOf(instanceAt(address));
      return cluster === undefined ? undefined : metadataFault(instances.lab, cluster)?.status;
    },
    factsByAddress: async (address) => {
      const instance = instanceAt(address);
      return instance && (await instanceFacts(instance, groups.targetState(instance.InstanceId ?? "")));
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
  instance?.Tags?.find(({ Key }) => Key === clusterTag)?.Value;

async function instanceFacts(
  instance: Instance,
  targetState: InstanceFacts["targetState"],
): Promise<InstanceFacts> {
  const zone = zones.find((candidate) => candidate.name === instance.Placement?.AvailabilityZone);
  const keyName = instance.KeyName;
  const publicKey = keyName === undefined ? undefined : await publicKeyOf(keyName);
  const roleName = await roleOf(instance);
  const tags =
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
    ...(tags !== undefined && { tags }),
    ...(targetState !== undefined && { targetState }),
  };
}

async function roleOf(instance: Instance): Promise<string | undefined> {
  const profileName = instance.IamInstanceProfile?.Arn?.split("/").at(-1);
  if (profileName === undefined) return undefined;
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
