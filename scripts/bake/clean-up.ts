import {
  DeleteKeyPairCommand,
  DeleteSecurityGroupCommand,
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import type { Target } from "../target/target.ts";

export const bakeTag = "eclair-ami:bake";

const terminatedWithinMilliseconds = 300_000;

/**
 * Takes away whatever a bake left running, by its tag: a Packer that was killed cleans up nothing itself.
 * @returns what was taken away, for the message
 */
export async function cleanUpBake(target: Target, bakeId: string): Promise<string[]> {
  const { ec2 } = target;
  const Filters = [{ Name: `tag:${bakeTag}`, Values: [bakeId] }];
  const removed: string[] = [];
  const instances = await leftInstances(target, bakeId);
  if (instances.length > 0) {
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: instances }));
    removed.push(...instances);
    // A security group can't go before the instances in it.
    const end = performance.now() + terminatedWithinMilliseconds;
    while ((await leftInstances(target, bakeId)).length > 0) {
      if (performance.now() > end) throw new Error(`${instances.join(", ")} did not end within five minutes`);
      await sleep(500);
    }
  }
  const { Images } = await ec2.send(new DescribeImagesCommand({ Owners: ["self"], Filters }));
  for (const { ImageId } of Images ?? []) {
    if (ImageId === undefined) continue;
    await removeImage(target, ImageId);
    removed.push(ImageId);
  }
  const { KeyPairs } = await ec2.send(new DescribeKeyPairsCommand({ Filters }));
  for (const { KeyName } of KeyPairs ?? []) {
    if (KeyName === undefined) continue;
    await ec2.send(new DeleteKeyPairCommand({ KeyName }));
    removed.push(KeyName);
  }
  const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters }));
  for (const { GroupId } of SecurityGroups ?? []) {
    if (GroupId === undefined) continue;
    await ec2.send(new DeleteSecurityGroupCommand({ GroupId }));
    removed.push(GroupId);
  }
  return removed;
}

async function leftInstances(target: Target, bakeId: string): Promise<string[]> {
  const { Reservations } = await target.ec2.send(
    new DescribeInstancesCommand({
      Filters: [
        { Name: `tag:${bakeTag}`, Values: [bakeId] },
        {
          Name: "instance-state-name",
          Values: ["pending", "running", "stopping", "stopped", "shutting-down"],
        },
      ],
    }),
  );
  return (Reservations ?? []).flatMap((reservation) =>
    (reservation.Instances ?? []).flatMap((instance) => instance.InstanceId ?? []),
  );
}

/** Deregisters an image and deletes its snapshots. */
async function removeImage(target: Target, imageId: string): Promise<void> {
  const { Images } = await target.ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }));
  await target.ec2.send(new DeregisterImageCommand({ ImageId: imageId }));
  for (const mapping of Images?.[0]?.BlockDeviceMappings ?? [])
    if (mapping.Ebs?.SnapshotId !== undefined)
      await target.ec2.send(new DeleteSnapshotCommand({ SnapshotId: mapping.Ebs.SnapshotId }));
}
