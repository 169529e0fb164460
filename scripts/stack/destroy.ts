import {
  AutoScalingClient,
  DeleteLifecycleHookCommand,
  DescribeLifecycleHooksCommand,
  TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
} from "@aws-sdk/client-auto-scaling";
import {
  CloudFormationClient,
  DeleteStackCommand,
  UpdateTerminationProtectionCommand,
} from "@aws-sdk/client-cloudformation";
import {
  EC2Client,
  paginateDescribeInstances,
  paginateDescribeSnapshots,
  paginateDescribeVolumes,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { paginateListSecrets, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { hookNames } from "../../bootstrap/contract/lifecycle-hooks.ts";
import { groupTag, tags } from "../../bootstrap/contract/tags.ts";
import { stackNames } from "../../infra/stack-names.ts";
import { allItems } from "../target/pages.ts";
import type { Target } from "../target/target.ts";
import { describeStack, resourcesOf, settledStack, waitForStack } from "./cloudformation/stacks.ts";
import { describeGroup } from "./group/describe.ts";

/** A resource that remains after `destroy`, e.g. `AWS::RDS::DBInstance demo`. */
export type Remaining = { readonly type: string; readonly id: string };

/**
 * Deletes what can be created again: instances, group, load balancer, launch template, security groups and roles. Everything that
 * holds money or state remains: the state stack, the account stack, and what instances and `init` created.
 * @returns what remains
 */
export async function destroy(target: Target, cluster: string): Promise<Remaining[]> {
  const StackName = stackNames(cluster).cluster;
  const client = target.client(CloudFormationClient);
  const stack = await settledStack(target, StackName);
  if (stack?.StackId !== undefined) {
    await endInstances(target, cluster);
    await terminateOthers(target, cluster);
    await client.send(
      new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }),
    );
    await client.send(new DeleteStackCommand({ StackName }));
    await waitForStack(target, stack.StackId, ["DELETE_COMPLETE"], `deleting ${StackName}`);
  }
  return await remainingResources(target, cluster);
}

/**
 * Terminates the instances of a group, which deleting the stack alone would not do: the active instance is protected from
 * scale-in, and without another instance it would extend its terminating hook for 48 hours.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html
 */
async function endInstances(target: Target, AutoScalingGroupName: string): Promise<void> {
  const client = target.client(AutoScalingClient);
  const group = await describeGroup(target, AutoScalingGroupName);
  // An earlier `destroy` was interrupted.
  if (group === undefined) return;
  const { LifecycleHooks = [] } = await client.send(
    new DescribeLifecycleHooksCommand({ AutoScalingGroupName }),
  );
  const LifecycleHookName = hookNames.terminating;
  if (LifecycleHooks.some((hook) => hook.LifecycleHookName === LifecycleHookName))
    await client.send(new DeleteLifecycleHookCommand({ AutoScalingGroupName, LifecycleHookName }));
  await client.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName, MinSize: 0 }));
  for (const { InstanceId, LifecycleState } of group.Instances ?? [])
    if (!LifecycleState?.startsWith("Terminat"))
      await client.send(
        new TerminateInstanceInAutoScalingGroupCommand({ InstanceId, ShouldDecrementDesiredCapacity: true }),
      );
}

/** Terminates the instances that no group launched, such as those of `launch`: they use the security group of the stack. */
async function terminateOthers(target: Target, cluster: string): Promise<void> {
  const ec2 = target.client(EC2Client);
  const reservations = await allItems(
    paginateDescribeInstances(
      { client: ec2 },
      {
        Filters: [
          { Name: `tag:${tags.cluster}`, Values: [cluster] },
          { Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] },
        ],
      },
    ),
    ({ Reservations }) => Reservations,
  );
  const InstanceIds = reservations
    .flatMap(({ Instances = [] }) => Instances)
    .filter(({ Tags = [] }) => !Tags.some(({ Key }) => Key === groupTag))
    .map(({ InstanceId = "" }) => InstanceId);
  if (InstanceIds.length > 0) await ec2.send(new TerminateInstancesCommand({ InstanceIds }));
}

/** What exists of a cluster apart from its cluster stack. */
export async function remainingResources(target: Target, cluster: string): Promise<Remaining[]> {
  const { account, state } = stackNames(cluster);
  const remaining: Remaining[] = [];
  for (const stackName of [account, state])
    if ((await describeStack(target, stackName)) !== undefined)
      for (const { ResourceType: type = "", PhysicalResourceId: id = "" } of await resourcesOf(
        target,
        stackName,
      ))
        remaining.push({ type, id });
  const client = target.client(EC2Client);
  const Filters = [{ Name: `tag:${tags.cluster}`, Values: [cluster] }];
  const volumes = await allItems(paginateDescribeVolumes({ client }, { Filters }), ({ Volumes }) => Volumes);
  remaining.push(...volumes.map(({ VolumeId: id = "" }) => ({ type: "AWS::EC2::Volume", id })));
  const snapshots = await allItems(
    paginateDescribeSnapshots({ client }, { Filters, OwnerIds: ["self"] }),
    ({ Snapshots }) => Snapshots,
  );
  remaining.push(...snapshots.map(({ SnapshotId: id = "" }) => ({ type: "AWS::EC2::Snapshot", id })));
  const secrets = await allItems(
    paginateListSecrets(
      { client: target.client(SecretsManagerClient) },
      { Filters: [{ Key: "tag-key", Values: [tags.cluster] }] },
    ),
    ({ SecretList }) => SecretList,
  );
  for (const { Name: id = "", Tags = [] } of secrets)
    if (Tags.some(({ Key, Value }) => Key === tags.cluster && Value === cluster))
      remaining.push({ type: "AWS::SecretsManager::Secret", id });
  return remaining;
}
