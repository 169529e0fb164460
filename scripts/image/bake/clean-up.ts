import {
  DeleteKeyPairCommand,
  DeleteSecurityGroupCommand,
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  paginateDescribeImages,
  paginateDescribeInstances,
  DescribeKeyPairsCommand,
  paginateDescribeSecurityGroups,
  EC2Client,
  TerminateInstancesCommand,
  type Filter,
} from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { tags } from "../../../bootstrap/contract/tags.ts";
import type { Target } from "../../target/target.ts";
import { removeBundle } from "./bundle.ts";
import { allItems } from "../../target/pages.ts";

const terminationTimeoutMilliseconds = 300_000;
const pollIntervalMilliseconds = { lab: 500, aws: 5_000 } as const;

export type FailedBake = {
  readonly target: Target;
  readonly bakeId: string;
  readonly folder: string;
  readonly keepOnFailure: boolean;
};

/**
 * Removes the bundle and, unless `keepOnFailure` is set, every AWS resource of a bake.
 * @returns what the bake left behind, for the error
 */
export async function cleanUpFailedBake(bake: FailedBake): Promise<string> {
  removeBundle(bake.folder);
  if (bake.keepOnFailure) {
    const hint =
      bake.target.name === "lab"
        ? "; inspect them with `eclair-ami lab shell INSTANCE`, and end them with `eclair-ami lab down`"
        : "";
    return `with --keep-on-failure, the instances with the tag ${tags.bakeId}=${bake.bakeId}${hint}`;
  }
  const removed = await removeBakeResources(bake.target, bake.bakeId);
  return removed.length === 0
    ? "nothing; the bake has no resources"
    : `nothing; the bake removed its resources: ${removed.join(", ")}`;
}

/**
 * Removes every resource with the tag of a bake: Packer removes nothing when it is killed.
 * @returns the ids of the removed resources
 */
async function removeBakeResources(target: Target, bakeId: string): Promise<string[]> {
  const ec2 = target.client(EC2Client);
  const filters: Filter[] = [{ Name: `tag:${tags.bakeId}`, Values: [bakeId] }];
  return [
    // A security group cannot be deleted before its instances end.
    ...(await terminateInstances(target, filters)),
    ...(await removeImages(ec2, filters)),
    ...(await removeKeyPairs(ec2, filters)),
    ...(await removeSecurityGroups(ec2, filters)),
  ];
}

async function terminateInstances(target: Target, filters: Filter[]): Promise<string[]> {
  const ec2 = target.client(EC2Client);
  const ids = await liveInstances(ec2, filters);
  if (ids.length === 0) return [];
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: ids }));
  const deadline = performance.now() + terminationTimeoutMilliseconds;
  while ((await liveInstances(ec2, filters)).length > 0) {
    if (performance.now() > deadline) throw new Error(`${ids.join(", ")} did not end within five minutes`);
    await sleep(pollIntervalMilliseconds[target.name]);
  }
  return ids;
}

async function liveInstances(ec2: EC2Client, filters: Filter[]): Promise<string[]> {
  const states = ["pending", "running", "stopping", "stopped", "shutting-down"];
  const reservations = await allItems(
    paginateDescribeInstances(
      { client: ec2 },
      { Filters: [...filters, { Name: "instance-state-name", Values: states }] },
    ),
    ({ Reservations }) => Reservations,
  );
  return reservations.flatMap(({ Instances = [] }) =>
    Instances.flatMap(({ InstanceId }) => InstanceId ?? []),
  );
}

/** Deregisters images and deletes their snapshots. */
async function removeImages(ec2: EC2Client, filters: Filter[]): Promise<string[]> {
  const images = await allItems(
    paginateDescribeImages({ client: ec2 }, { Owners: ["self"], Filters: filters }),
    ({ Images }) => Images,
  );
  for (const { ImageId, BlockDeviceMappings = [] } of images) {
    await ec2.send(new DeregisterImageCommand({ ImageId }));
    for (const { Ebs } of BlockDeviceMappings)
      if (Ebs?.SnapshotId !== undefined)
        await ec2.send(new DeleteSnapshotCommand({ SnapshotId: Ebs.SnapshotId }));
  }
  return images.flatMap(({ ImageId }) => ImageId ?? []);
}

async function removeKeyPairs(ec2: EC2Client, filters: Filter[]): Promise<string[]> {
  const { KeyPairs = [] } = await ec2.send(new DescribeKeyPairsCommand({ Filters: filters }));
  const names = KeyPairs.flatMap(({ KeyName }) => KeyName ?? []);
  for (const KeyName of names) await ec2.send(new DeleteKeyPairCommand({ KeyName }));
  return names;
}

async function removeSecurityGroups(ec2: EC2Client, filters: Filter[]): Promise<string[]> {
  const groups = await allItems(
    paginateDescribeSecurityGroups({ client: ec2 }, { Filters: filters }),
    ({ SecurityGroups }) => SecurityGroups,
  );
  const ids = groups.flatMap(({ GroupId }) => GroupId ?? []);
  for (const GroupId of ids) await ec2.send(new DeleteSecurityGroupCommand({ GroupId }));
  return ids;
}
