import type { EC2Client, Instance, Volume } from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeConfiguration } from "../contract/configuration/node.ts";
import { EclairAmiError, messageOf } from "../contract/errors.ts";
import type { InstanceIdentity } from "../contract/reports/instance-identity.ts";
import { chainVolumePurpose, tags } from "../contract/tags.ts";
import { logEvent } from "../os/log.ts";
import { readTargetLifecycleState } from "../imds/read.ts";
import { isLeavingGroup } from "./auto-scaling.ts";
import { clientSettings, type AwsSettings } from "./clients.ts";
import { oncePastPending } from "./pending.ts";
import { latestChainSnapshot, replacementSnapshot } from "./latest-snapshot.ts";
import { enlarge } from "./volume-size.ts";

type ChainVolume = NonNullable<NodeConfiguration["chainVolume"]>;

const createTimeoutSeconds = 120;
/** A bitcoind can take minutes to stop, after the drain of its host. After this time, a new volume is better than no node. */
const releaseTimeoutMilliseconds = 600_000;
const releaseIntervalMilliseconds = 1_000;
const tokenLifetimeMilliseconds = 600_000;
/** An instance attaches and formats its new volume within this time. */
const startMilliseconds = 600_000;

/** A new volume: from a snapshot, or empty. */
type NewVolume = { readonly snapshotId: string | undefined; readonly gibibytes: number };

/** The chain volume of this instance. */
export type AttachedVolume = {
  readonly volumeId: string;
  /** Whether this instance created the volume, so that it may format the volume. */
  readonly isOwn: boolean;
};

/**
 * Attaches the chain volume of the cluster's last instance in this availability zone, or a new volume: from the snapshot
 * of the configuration, or empty. While an instance of the zone is being terminated, this function waits for the volume of that
 * instance: an unattached volume has an older chain. A volume with the tag `broken` is not used. When the configuration names no
 * snapshot, the volume that replaces it is created from the newest verified snapshot of the cluster; without such a snapshot, the new
 * volume is empty.
 */
export async function attachChainVolume(
  { cluster, chain, failover }: Pick<NodeConfiguration, "cluster" | "chain" | "failover">,
  chainVolume: ChainVolume,
  identity: InstanceIdentity,
  aws: AwsSettings,
): Promise<AttachedVolume> {
  const sdk = await import("@aws-sdk/client-ec2");
  const ec2 = new sdk.EC2Client(clientSettings(aws));
  try {
    const deadline = performance.now() + releaseTimeoutMilliseconds + failover.drainSeconds * 1000;
    let replacesBroken = false;
    /** The volumes that were attached to an instance that is being terminated. */
    const awaited = new Set<string | undefined>();
    for (;;) {
      const found = await findClusterVolumes();
      const volumes = found.filter((volume) => tagOf(volume, tags.broken) === undefined);
      replacesBroken = volumes.length < found.length;
      const attached = volumes.find((volume) => isAttachedHere(volume));
      if (attached !== undefined) return await use(attached);
      const isLate = performance.now() > deadline;
      // The last instance may still be shutting down, with the volume attached.
      const mustWait = await isReleasing(volumes);
      if (mustWait)
        for (const volume of volumes) if (holder(volume) !== undefined) awaited.add(volume.VolumeId);
      const usable = mustWait && !isLate ? [] : await withoutVolumesOfStartingInstances(volumes);
      const rank = ({ VolumeId }: Volume) => (awaited.has(VolumeId) ? 0 : 1);
      const available = usable
        .filter((volume) => volume.State === "available")
        .toSorted((a, b) => rank(a) - rank(b));
      for (const volume of available) if (await attach(ec2, volume.VolumeId ?? "")) return await use(volume);
      const creating = usable.some((volume) => volume.State === "creating");
      if (!(creating || mustWait) || isLate) break;
      await sleep(releaseIntervalMilliseconds);
    }
    const created = await create(ec2, await snapshotFor(ec2, replacesBroken));
    if (!(await attach(ec2, created))) throw new Error(`another instance attached ${created}`);
    return { volumeId: created, isOwn: true };
  } catch (error) {
    throw explain(error);
  }

  function isAttachedHere({ Attachments = [] }: Volume): boolean {
    return Attachments.some(
      ({ InstanceId, Device }) => InstanceId === identity.instanceId && Device === chainVolume.device,
    );
  }

  async function use(volume: Volume): Promise<AttachedVolume> {
    await enlarge(ec2, volume, chainVolume.sizeGibibytes);
    return { volumeId: volume.VolumeId ?? "", isOwn: tagOf(volume, tags.createdBy) === identity.instanceId };
  }

  async function findClusterVolumes(): Promise<Volume[]> {
    const filters = [
      { Name: `tag:${tags.cluster}`, Values: [cluster] },
      { Name: `tag:${tags.volume}`, Values: [chainVolumePurpose] },
      { Name: "availability-zone", Values: [identity.availabilityZone] },
    ];
    const volumes: Volume[] = [];
    for await (const page of sdk.paginateDescribeVolumes({ client: ec2 }, { Filters: filters }))
      volumes.push(...(page.Volumes ?? []));
    // The oldest volume has the longest chain.
    return volumes.toSorted((a, b) => (a.CreateTime?.getTime() ?? 0) - (b.CreateTime?.getTime() ?? 0));
  }

  async function isReleasing(volumes: readonly Volume[]): Promise<boolean> {
    const holders = volumes.flatMap((volume) => holder(volume) ?? []);
    if (holders.length === 0) return false;
    const states = (await instancesOf(holders)).map(({ State }) => State?.Name ?? "");
    if (states.some((state) => ["shutting-down", "terminated"].includes(state))) return true;
    // The group may have launched this instance while the last instance still runs and waits for its hook.
    return (await readTargetLifecycleState()) !== undefined && (await isLeavingGroup(holders, aws));
  }

  /** Another instance that boots at the same time attaches and formats the volume that it has just created. */
  async function withoutVolumesOfStartingInstances(volumes: readonly Volume[]): Promise<Volume[]> {
    const isNew = ({ CreateTime }: Volume) => Date.now() - (CreateTime?.getTime() ?? 0) < startMilliseconds;
    const creatorOf = (volume: Volume) =>
      isNew(volume) && holder(volume) === undefined ? tagOf(volume, tags.createdBy) : undefined;
    const creators = volumes.flatMap((volume) => creatorOf(volume) ?? []);
    const others = creators.filter((id) => id !== identity.instanceId);
    if (others.length === 0) return [...volumes];
    const starting = (await instancesOf(others)).flatMap(({ InstanceId, State }) =>
      ["pending", "running"].includes(State?.Name ?? "") ? [InstanceId] : [],
    );
    return volumes.filter((volume) => {
      const creator = creatorOf(volume);
      return creator === undefined || !starting.includes(creator);
    });
  }

  /** A filter, because EC2 refuses ids of instances that it has forgotten. */
  async function instancesOf(ids: readonly string[]): Promise<Instance[]> {
    const Filters = [{ Name: "instance-id", Values: [...new Set(ids)] }];
    const { Reservations = [] } = await ec2.send(new sdk.DescribeInstancesCommand({ Filters }));
    return Reservations.flatMap(({ Instances = [] }) => Instances);
  }

  async function snapshotFor(client: EC2Client, replacesBroken: boolean): Promise<NewVolume> {
    const { snapshotId, sizeGibibytes: gibibytes } = chainVolume;
    const node = { cluster, chain };
    if (snapshotId !== "latest" && (snapshotId !== undefined || !replacesBroken))
      return { snapshotId, gibibytes };
    const chosen =
      snapshotId === "latest"
        ? await latestChainSnapshot(client, node)
        : await replacementSnapshot(client, node);
    if (chosen !== undefined)
      logEvent("volume.from-snapshot", { snapshotId: chosen.snapshotId, height: chosen.facts.height });
    // A volume is at least as large as its snapshot, which can come from a volume that was enlarged.
    return {
      snapshotId: chosen?.snapshotId,
      gibibytes: Math.max(gibibytes, chosen?.gibibytes ?? 0),
    };
  }

  async function create(client: EC2Client, { snapshotId, gibibytes }: NewVolume): Promise<string> {
    const { VolumeId = "" } = await client.send(
      new sdk.CreateVolumeCommand({
        AvailabilityZone: identity.availabilityZone,
        Size: gibibytes,
        VolumeType: "gp3",
        Encrypted: true,
        ...(snapshotId !== undefined && { SnapshotId: snapshotId }),
        ...(chainVolume.kmsKeyId !== undefined && { KmsKeyId: chainVolume.kmsKeyId }),
        // A repeated boot creates no second volume. The token contains the time, because it outlives a failed volume.
        ClientToken: `chain-${identity.instanceId}-${Math.floor(Date.now() / tokenLifetimeMilliseconds)}`,
        TagSpecifications: [
          {
            ResourceType: "volume",
            Tags: [
              { Key: tags.cluster, Value: cluster },
              { Key: tags.volume, Value: chainVolumePurpose },
              { Key: tags.createdBy, Value: identity.instanceId },
              { Key: "Name", Value: `${cluster} chain` },
            ],
          },
        ],
      }),
    );
    await sdk.waitUntilVolumeAvailable(
      { client, maxWaitTime: createTimeoutSeconds, minDelay: 1 },
      { VolumeIds: [VolumeId] },
    );
    return VolumeId;
  }

  /** @returns false when another instance attached the volume first */
  async function attach(client: EC2Client, volumeId: string): Promise<boolean> {
    try {
      await oncePastPending(() =>
        client.send(
          new sdk.AttachVolumeCommand({
            VolumeId: volumeId,
            InstanceId: identity.instanceId,
            Device: chainVolume.device,
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

/** Makes later instances of the cluster use another volume. */
export async function markBroken(volumeId: string, reason: string, aws: AwsSettings): Promise<void> {
  const sdk = await import("@aws-sdk/client-ec2");
  await new sdk.EC2Client(clientSettings(aws)).send(
    new sdk.CreateTagsCommand({ Resources: [volumeId], Tags: [{ Key: tags.broken, Value: reason }] }),
  );
}

const tagOf = ({ Tags = [] }: Volume, key: string): string | undefined =>
  Tags.find((tag) => tag.Key === key)?.Value;

function holder(volume: Volume): string | undefined {
  return volume.Attachments?.[0]?.InstanceId;
}

function explain(error: unknown): EclairAmiError {
  if (error instanceof EclairAmiError) return error;
  const name = error instanceof Error ? error.name : "";
  // EC2 is eventually consistent: another resource that it does not find may exist at the next attempt.
  const refused = /UnauthorizedOperation|AccessDenied|InvalidSnapshot|InvalidParameter/.test(name);
  return new EclairAmiError(
    {
      code: "volume.attach-failed",
      operation: "attaching the chain volume",
      message: `the chain volume cannot be attached: ${name} ${messageOf(error)}`,
      remedy: refused
        ? "give the instance's role the volume statements of `eclair-ami policy instance`, and check the snapshot id"
        : "the boot tries again. When a new volume does not become available, check the permissions on its KMS key",
      retryable: !refused,
    },
    { cause: error },
  );
}
