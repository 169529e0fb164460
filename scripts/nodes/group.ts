import {
  CreateOrUpdateTagsCommand,
  DescribeAutoScalingGroupsCommand,
  TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
  type AutoScalingGroup,
} from "@aws-sdk/client-auto-scaling";
import { DescribeLaunchTemplateVersionsCommand } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { clusterTag } from "../../bootstrap/aws/tags.ts";
import { Failure } from "../core/failure.ts";
import type { Target } from "../target/target.ts";

/** The tag of a group that says how its last `replace` stands. */
export const replaceTag = "eclair-ami:replace";

/** The last `replace` of a group, by launch template versions. */
export const LastReplace = z.strictObject({
  from: z.string(),
  to: z.string(),
  /** `back`: on its way to `to`, which is where the one before it had begun. */
  state: z.enum(["going", "back", "done"]),
  reversible: z.boolean(),
});
export type LastReplace = z.infer<typeof LastReplace>;

/** The Auto Scaling group of a cluster. */
export type NodeGroup = {
  readonly name: string;
  readonly desired: number;
  readonly template: TemplateVersion;
  /** Ids of the instances that count: none that is on its way out. */
  readonly members: readonly Member[];
  readonly last?: LastReplace;
};

export type Member = {
  readonly instanceId: string;
  /** The template version that it was started from. */
  readonly version: string;
  /** AWS' lifecycle state, e.g. `InService`. */
  readonly lifecycle: string;
};

export type TemplateVersion = {
  readonly templateId: string;
  readonly version: string;
  readonly imageId: string;
  /** In base64, as EC2 has it. */
  readonly userData: string;
};

/** The group of a cluster, by its tag, or by its name where there are several. */
export async function groupOf(target: Target, cluster: string, name?: string): Promise<NodeGroup> {
  const { AutoScalingGroups = [] } = await target.scaling.send(
    new DescribeAutoScalingGroupsCommand({ Filters: [{ Name: `tag:${clusterTag}`, Values: [cluster] }] }),
  );
  const found = AutoScalingGroups.filter(
    (group) => name === undefined || group.AutoScalingGroupName === name,
  );
  const [only] = found;
  if (only === undefined || found.length > 1)
    throw new Failure({
      code: "group.unknown",
      doing: `looking for the Auto Scaling group of ${cluster}`,
      cause:
        only === undefined
          ? `none ${name === undefined ? "" : `called ${name} `}has the tag ${clusterTag}=${cluster}`
          : `there are several: ${found.map((one) => one.AutoScalingGroupName).join(", ")}`,
      remedy: "docs/failover.md says how a group is made; where there are several, name one with --group",
      exit: 2,
    });
  return await described(target, only);
}

async function described(target: Target, group: AutoScalingGroup): Promise<NodeGroup> {
  const { LaunchTemplate, Instances = [], Tags = [] } = group;
  const templateId = LaunchTemplate?.LaunchTemplateId;
  if (templateId === undefined)
    throw unfit(
      group,
      "it has no launch template of its own",
      "give it one: neither a launch configuration nor a mixed instances policy will do",
    );
  const version = LaunchTemplate?.Version ?? "$Default";
  if (version.startsWith("$"))
    throw unfit(
      group,
      `it launches the version ${version} of its template, so that whoever makes a version changes the group`,
      "have the group use a version by its number",
    );
  const last = lastIn(Tags.find(({ Key }) => Key === replaceTag)?.Value);
  return {
    name: group.AutoScalingGroupName ?? "",
    desired: group.DesiredCapacity ?? 0,
    template: await templateVersion(target, templateId, version),
    members: Instances.filter(({ LifecycleState }) => !LifecycleState?.startsWith("Terminat")).map(
      ({ InstanceId = "", LifecycleState = "", LaunchTemplate: used }) => ({
        instanceId: InstanceId,
        lifecycle: LifecycleState,
        version: used?.Version ?? "",
      }),
    ),
    ...(last !== undefined && { last }),
  };
}

function unfit({ AutoScalingGroupName }: AutoScalingGroup, cause: string, remedy: string): Failure {
  const doing = `looking at the Auto Scaling group ${AutoScalingGroupName}`;
  return new Failure({ code: "group.template", doing, cause, remedy, exit: 2 });
}

function lastIn(text: string | undefined): LastReplace | undefined {
  const [from = "", to = "", state, way] = (text ?? "").split(" ");
  return LastReplace.safeParse({ from, to, state, reversible: way === "reversible" }).data;
}

export async function templateVersion(
  target: Target,
  templateId: string,
  version: string,
): Promise<TemplateVersion> {
  const { LaunchTemplateVersions = [] } = await target.ec2.send(
    new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: templateId, Versions: [version] }),
  );
  const [found] = LaunchTemplateVersions;
  return {
    templateId,
    version: String(found?.VersionNumber),
    imageId: found?.LaunchTemplateData?.ImageId ?? "",
    userData: found?.LaunchTemplateData?.UserData ?? "",
  };
}

/** What the group launches from now on. */
export async function useVersion(
  target: Target,
  group: Pick<NodeGroup, "name">,
  { templateId, version }: Pick<TemplateVersion, "templateId" | "version">,
): Promise<void> {
  await target.scaling.send(
    new UpdateAutoScalingGroupCommand({
      AutoScalingGroupName: group.name,
      LaunchTemplate: { LaunchTemplateId: templateId, Version: version },
    }),
  );
}

/** Writes down how a `replace` stands, for one that goes on with it or takes it back. */
export async function remember(
  target: Target,
  { name }: Pick<NodeGroup, "name">,
  { from, to, state, reversible }: LastReplace,
): Promise<void> {
  const Value = [from, to, state, reversible ? "reversible" : "irreversible"].join(" ");
  const about = { ResourceId: name, ResourceType: "auto-scaling-group" };
  await target.scaling.send(
    new CreateOrUpdateTagsCommand({
      Tags: [{ ...about, Key: replaceTag, Value, PropagateAtLaunch: false }],
    }),
  );
}

/** Ends a member for another one to be launched in its place. */
export async function endMember(target: Target, instanceId: string): Promise<void> {
  await target.scaling.send(
    new TerminateInstanceInAutoScalingGroupCommand({
      InstanceId: instanceId,
      ShouldDecrementDesiredCapacity: false,
    }),
  );
}
