import {
  AutoScalingClient,
  CreateAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  SuspendProcessesCommand,
} from "@aws-sdk/client-auto-scaling";
import { hookNames } from "../../bootstrap/contract/lifecycle-hooks.ts";
import { tags } from "../../bootstrap/contract/tags.ts";
import { readConfiguration } from "../cluster/configuration/read.ts";
import { createTemplateVersion, requireImage, userDataOf } from "../cluster/launch.ts";
import type { LabFacts } from "../lab/facts.ts";
import { transitions } from "../lab/scaling/group.ts";
import type { Target } from "../target/target.ts";
import { findOrCreate } from "./find-or-create.ts";

/**
 * A first boot can retry for a long time, and requests more time itself. A normal end takes some seconds; the active instance
 * without a standby requests up to 48 hours, with AWS' 100 heartbeats.
 */
const heartbeatSeconds = { launching: 600, terminating: 1800 } as const;

export type GroupSettings = {
  /** The name of the group and of the cluster's launch template. */
  readonly name: string;
  readonly imageId: string;
  readonly configurationFile: string;
};

/**
 * Creates an Auto Scaling group of two instances in the lab's zones. The group has EC2 health checks only, and no target
 * groups: a standby is healthy and receives no traffic.
 */
export async function createLabGroup(
  facts: LabFacts,
  target: Target,
  settings: GroupSettings,
): Promise<void> {
  const { name } = settings;
  const client = target.client(AutoScalingClient);
  await findOrCreate(
    async () => {
      const names = { AutoScalingGroupNames: [name] };
      return (await client.send(new DescribeAutoScalingGroupsCommand(names))).AutoScalingGroups?.[0];
    },
    async () => {
      await createGroup(facts, target, settings);
      return {};
    },
  );
}

async function createGroup(
  facts: LabFacts,
  target: Target,
  { name, imageId, configurationFile }: GroupSettings,
): Promise<void> {
  const { configuration, userData: content } = await readConfiguration(configurationFile);
  await requireImage(target, { imageId }, configuration.chain);
  const template = { LaunchTemplateName: name };
  const userData = userDataOf(content);
  const { version } = await createTemplateVersion(target, template, {
    sourceVersion: "$Default",
    imageId,
    userData,
  });
  const tag = (Key: string, Value: string) => ({
    ...{ ResourceId: name, ResourceType: "auto-scaling-group" },
    ...{ Key, Value, PropagateAtLaunch: true },
  });
  await target.client(AutoScalingClient).send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName: name,
      LaunchTemplate: { ...template, Version: version },
      MinSize: 2,
      MaxSize: 2,
      DesiredCapacity: 2,
      HealthCheckType: "EC2",
      VPCZoneIdentifier: Object.values(facts.network?.subnetIds ?? {}).join(","),
      // Part of this call: an instance does not wait for a hook that is created after its launch.
      LifecycleHookSpecificationList: (["launching", "terminating"] as const).map((when) => ({
        LifecycleHookName: hookNames[when],
        LifecycleTransition: transitions[when],
        HeartbeatTimeout: heartbeatSeconds[when],
        DefaultResult: when === "launching" ? "ABANDON" : "CONTINUE",
      })),
      Tags: [tag(tags.cluster, configuration.cluster), tag("Name", configuration.cluster)],
    }),
  );
  await target
    .client(AutoScalingClient)
    .send(new SuspendProcessesCommand({ AutoScalingGroupName: name, ScalingProcesses: ["AZRebalance"] }));
}
