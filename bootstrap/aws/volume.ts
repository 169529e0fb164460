import type { EC2Client, Volume } from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeConfiguration } from "../config/node.ts";
import { BootFailure, messageOf } from "../failure.ts";
import type { Identity } from "../imds/identity.ts";
import { targetLifecycleState } from "../imds/read.ts";
import { someLeaveTheirGroup } from "./auto-scaling.ts";
import { clientSettings, type AwsSettings } from "./clients.ts";
import { oncePastPending } from "./pending.ts";
import { clusterTag, useTag } from "./tags.ts";

const waitSeconds = 120;
/** bitcoind may take long to end; after this a new volume is better than no node. */
const leavingMilliseconds = 600_000;
const leavingPauseMilliseconds = 1_000;
const tokenMilliseconds = 600_000;

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
    const end = performance.now() + leavingMilliseconds;
    for (;;) {
      const volumes = await ofCluster();
      if (volumes.some((volume) => holder(volume) === identity.instanceId)) return;
      for (const kept of volumes.filter((volume) => volume.State === "available"))
        if (await attach(ec2, kept.VolumeId ?? "")) return;
      // The last instance may still be on its way out, and the volume with it.
      const coming = volumes.some((volume) => volume.State === "creating");
      if (!(coming || (await someoneLeaves(volumes))) || performance.now() > end) break;
      await sleep(leavingPauseMilliseconds);
    }
    const made = await create(ec2);
    if (!(await attach(ec2, made))) throw new Error(`${made} was taken by another instance`);
  } catch (error) {
    throw explain(error);
  }

  async function ofCluster(): Promise<Volume[]> {
    const { Volumes } = await ec2.send(
      new sdk.DescribeVolumesCommand({
        Filters: [
          { Name: `tag:${clusterTag}`, Values: [cluster] },
          { Name: `tag:${useTag}`, Values: ["chain"] },
          { Name: "availability-zone", Values: [identity.availabilityZone] },
        ],
      }),
    );
    // The oldest has the longest chain.
    return (Volumes ?? []).toSorted(
      (a, b) => (a.CreateTime?.getTime() ?? 0) - (b.CreateTime?.getTime() ?? 0),
    );
  }

  async function someoneLeaves(volumes: readonly Volume[]): Promise<boolean> {
    const holders = volumes.flatMap((volume) => holder(volume) ?? []);
    if (holders.length === 0) return false;
    const { Reservations } = await ec2.send(new sdk.DescribeInstancesCommand({ InstanceIds: holders }));
    const states = (Reservations ?? []).flatMap((reservation) =>
      (reservation.Instances ?? []).map((instance) => instance.State?.Name ?? ""),
    );
    if (states.some((state) => ["shutting-down", "terminated"].includes(state))) return true;
    // Its group may have launched this one while the last one still waits for its hook, and runs.
    return (await targetLifecycleState()) !== undefined && (await someLeaveTheirGroup(holders, aws));
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
        // A boot that is tried again makes no second volume; a token lives on when its volume has failed.
        ClientToken: `chain-${identity.instanceId}-${Math.floor(Date.now() / tokenMilliseconds)}`,
        TagSpecifications: [
          {
            ResourceType: "volume",
            Tags: [
              { Key: clusterTag, Value: cluster },
              { Key: useTag, Value: "chain" },
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
  async function attach(client: EC2Client, volumeId: string): Promise<boolean> {
    try {
      await oncePastPending(() =>
        client.send(
          new sdk.AttachVolumeCommand({
            VolumeId: volumeId,
            InstanceId: identity.instanceId,
            Device: dataVolume?.device,
          }),
        ),
      );
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === "VolumeInUse") return false;
      throw error;
    }
  }
}

function holder(volume: Volume): string | undefined {
  return volume.Attachments?.[0]?.InstanceId;
}

function explain(error: unknown): BootFailure {
  const name = error instanceof Error ? error.name : "";
  // EC2 forgets and learns late: anything else that it doesn't find may be there at the next try.
  const refused = /UnauthorizedOperation|AccessDenied|InvalidSnapshot|InvalidParameter/.test(name);
  return new BootFailure(
    {
      code: "volume.attach",
      cause: `the volume for the chain can't be attached: ${name} ${messageOf(error)}`,
      remedy: refused
        ? "allow the instance's role what `eclair-ami policy instance` lists for volumes, and look at the snapshot's name"
        : "it is tried again; a new volume that does not become available may want for the use of its KMS key",
      heals: !refused,
    },
    { cause: error },
  );
}
