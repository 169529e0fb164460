import {
  AutoScalingClient,
  DeleteLifecycleHookCommand,
  DescribeLifecycleHooksCommand,
} from "@aws-sdk/client-auto-scaling";
import {
  CloudFormationClient,
  DeleteStackCommand,
  UpdateTerminationProtectionCommand,
} from "@aws-sdk/client-cloudformation";
import { DescribeSnapshotsCommand, DescribeVolumesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { paginateListSecrets, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { hookNames } from "../../bootstrap/contract/lifecycle-hooks.ts";
import { tags } from "../../bootstrap/contract/tags.ts";
import { stackNames } from "../../infra/stack-names.ts";
import { allItems } from "../target/pages.ts";
import type { Target } from "../target/target.ts";
import { describeStack, resourcesOf, waitForStack } from "./cloudformation/stacks.ts";

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
  const stack = await describeStack(target, StackName);
  if (stack?.StackId !== undefined) {
    // Without another instance, the active instance would extend this hook for 48 hours, and CloudFormation would wait.
    await deleteTerminatingHook(target, cluster);
    await client.send(
      new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }),
    );
    await client.send(new DeleteStackCommand({ StackName }));
    await waitForStack(target, stack.StackId, ["DELETE_COMPLETE"], `deleting ${StackName}`);
  }
  return await remainingResources(target, cluster);
}

async function deleteTerminatingHook(target: Target, AutoScalingGroupName: string): Promise<void> {
  const client = target.client(AutoScalingClient);
  const { LifecycleHooks = [] } = await client
    .send(new DescribeLifecycleHooksCommand({ AutoScalingGroupName }))
    .catch((error: unknown) => {
      // The group is gone: an earlier `destroy` was interrupted.
      if (error instanceof Error && /not found/.test(error.message)) return { LifecycleHooks: [] };
      throw error;
    });
  if (!LifecycleHooks.some(({ LifecycleHookName }) => LifecycleHookName === hookNames.terminating)) return;
  await client.send(
    new DeleteLifecycleHookCommand({ AutoScalingGroupName, LifecycleHookName: hookNames.terminating }),
  );
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
  const ec2 = target.client(EC2Client);
  const Filters = [{ Name: `tag:${tags.cluster}`, Values: [cluster] }];
  const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ Filters }));
  remaining.push(...Volumes.map(({ VolumeId: id = "" }) => ({ type: "AWS::EC2::Volume", id })));
  const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ Filters, OwnerIds: ["self"] }));
  remaining.push(...Snapshots.map(({ SnapshotId: id = "" }) => ({ type: "AWS::EC2::Snapshot", id })));
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
