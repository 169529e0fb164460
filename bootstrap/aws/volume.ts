import type { EC2Client, Volume } from "@aws-sdk/client-ec2";
import type { NodeConfiguration } from "../config/node.ts";
import { BootFailure, messageOf } from "../failure.ts";
import type { Identity } from "../imds/identity.ts";
import { clientSettings, type AwsSettings } from "./clients.ts";

/** Marks the volumes that a cluster's instances keep their chain on. */
export const volumeTags = { cluster: "eclair-ami:cluster", use: "eclair-ami:volume" } as const;

const waitSeconds = 120;

/**
 * Attaches the volume that the cluster's last instance in this availability zone kept its chain on,
 * or a new one, from the snapshot that the configuration names or empty.
 */
export async function attachChainVolume(
  { cluster, dataVolume }: NodeConfiguration,
  identity: Identity,
  aws: AwsSettings,
): Promise<void> {
  if (dataVolume === undefined) return;
  const sdk = await import("@aws-sdk/client-ec2");
  const ec2 = new sdk.EC2Client(clientSettings(aws));
  try {
    const { Volumes } = await ec2.send(
      new sdk.DescribeVolumesCommand({
        Filters: [
          { Name: `tag:${volumeTags.cluster}`, Values: [cluster] },
          { Name: `tag:${volumeTags.use}`, Values: ["chain"] },
          { Name: "availability-zone", Values: [identity.availabilityZone] },
        ],
      }),
    );
    if (Volumes?.some((volume) => isOn(volume, identity.instanceId)) === true) return;
    for (const kept of Volumes?.filter((volume) => volume.State === "available") ?? [])
      if (await attach(ec2, kept.VolumeId ?? "")) return;
    await attach(ec2, await create(ec2), true);
  } catch (error) {
    throw explain(error);
  }

  async function create(client: EC2Client): Promise<string> {
    const { VolumeId = "" } = await client.send(
      new sdk.CreateVolumeCommand({
        AvailabilityZone: identity.availabilityZone,
        Size: dataVolume?.sizeGibibytes,
        VolumeType: "gp3",
        Encrypted: true,
        ...(dataVolume?.snapshot !== undefined && { SnapshotId: dataVolume.snapshot }),
        ...(dataVolume?.kmsKey !== undefined && { KmsKeyId: dataVolume.kmsKey }),
        // A second boot of the same instance makes no second volume.
        ClientToken: `chain-${identity.instanceId}`,
        TagSpecifications: [
          {
            ResourceType: "volume",
            Tags: [
              { Key: volumeTags.cluster, Value: cluster },
              { Key: volumeTags.use, Value: "chain" },
              { Key: "Name", Value: `${cluster} chain` },
            ],
          },
        ],
      }),
    );
    await sdk.waitUntilVolumeAvailable(
      { client, maxWaitTime: waitSeconds, minDelay: 1 },
      { VolumeIds: [VolumeId] },
    );
    return VolumeId;
  }

  /** False when another instance was quicker. */
  async function attach(client: EC2Client, volumeId: string, mine = false): Promise<boolean> {
    try {
      await client.send(
        new sdk.AttachVolumeCommand({
          VolumeId: volumeId,
          InstanceId: identity.instanceId,
          Device: dataVolume?.device,
        }),
      );
      return true;
    } catch (error) {
      if (!mine && error instanceof Error && /VolumeInUse|IncorrectState/.test(error.name)) return false;
      throw error;
    }
  }
}

function isOn(volume: Volume, instanceId: string): boolean {
  return volume.Attachments?.some((attachment) => attachment.InstanceId === instanceId) === true;
}

function explain(error: unknown): BootFailure {
  const name = error instanceof Error ? error.name : "";
  const refused = /UnauthorizedOperation|AccessDenied|NotFound|InvalidParameter/.test(name);
  return new BootFailure(
    {
      code: "volume.attach",
      cause: `the volume for the chain can't be attached: ${name} ${messageOf(error)}`,
      remedy: refused
        ? "allow the instance's role ec2:DescribeVolumes, ec2:CreateVolume, ec2:CreateTags and ec2:AttachVolume, and look at the snapshot's name"
        : "it is tried again",
      heals: !refused,
    },
    { cause: error },
  );
}
