import {
  CreateAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
} from "@aws-sdk/client-auto-scaling";
import { hookNames } from "../../../bootstrap/aws/auto-scaling.ts";
import { clusterTag } from "../../../bootstrap/aws/tags.ts";
import { readConfiguration } from "../../nodes/configuration.ts";
import { makeVersion, requireImage, userDataOf } from "../../nodes/launch.ts";
import type { Target } from "../../target/target.ts";
import type { LabFacts } from "../facts.ts";
import { transitions } from "../scaling/group.ts";
import { findOrMake } from "./find-or-make.ts";

/** A first boot may be tried again for long, and asks for more time; a clean end takes seconds. */
const heartbeatSeconds = { launching: 600, terminating: 120 } as const;

/**
 * An Auto Scaling group of two, of a cluster's launch template, in the lab's zones: health by EC2 alone, and no target
 * groups, since a standby is healthy and takes no traffic.
 */
export async function labGroup(
  facts: LabFacts,
  target: Target,
  {
    name,
    imageId,
    configurationFile,
  }: { readonly name: string; readonly imageId: string; readonly configurationFile: string },
): Promise<string> {
  const { configuration, text } = readConfiguration(configurationFile);
  await requireImage(target, imageId, configuration.chain);
  await findOrMake(
    async () => {
      const names = { AutoScalingGroupNames: [name] };
      return (await target.scaling.send(new DescribeAutoScalingGroupsCommand(names))).AutoScalingGroups?.[0];
    },
    async () => {
      const template = { LaunchTemplateName: name };
      const userData = userDataOf(text);
      const { version } = await makeVersion(target, template, { source: "$Default", imageId, userData });
      const tag = (Key: string, Value: string) => ({
        ...{ ResourceId: name, ResourceType: "auto-scaling-group" },
        ...{ Key, Value, PropagateAtLaunch: true },
      });
      // With its hooks first: an instance that is launched before them waits for none.
      await target.scaling.send(
        new CreateAutoScalingGroupCommand({
          AutoScalingGroupName: name,
          LaunchTemplate: { ...template, Version: version },
          MinSize: 2,
          MaxSize: 2,
          DesiredCapacity: 2,
          HealthCheckType: "EC2",
          VPCZoneIdentifier: Object.values(facts.network?.subnetIds ?? {}).join(","),
          LifecycleHookSpecificationList: (["launching", "terminating"] as const).map((when) => ({
            LifecycleHookName: hookNames[when],
            LifecycleTransition: transitions[when],
            HeartbeatTimeout: heartbeatSeconds[when],
            DefaultResult: when === "launching" ? "ABANDON" : "CONTINUE",
          })),
          Tags: [tag(clusterTag, configuration.cluster), tag("Name", configuration.cluster)],
        }),
      );
      return {};
    },
  );
  return name;
}
