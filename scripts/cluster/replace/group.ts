import {
  AutoScalingClient,
  CompleteLifecycleActionCommand,
  CreateOrUpdateTagsCommand,
  paginateDescribeAutoScalingGroups,
  TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
  type AutoScalingGroup,
} from "@aws-sdk/client-auto-scaling";
import { DescribeLaunchTemplateVersionsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { hookNames } from "../../../bootstrap/contract/lifecycle-hooks.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import type { Target } from "../../target/target.ts";
import { formatReplaceState, parseReplaceState, type ReplaceState } from "./replace-state.ts";
import { allItems } from "../../target/pages.ts";

/** The Auto Scaling group of a cluster. */
export type NodeGroup = {
  readonly name: string;
  readonly desired: number;
  readonly template: TemplateVersion;
  /** The instances of the group, without those that it terminates. */
  readonly members: readonly Member[];
  readonly lastReplace?: ReplaceState;
  /** Whether the group balances its zones: it then terminates instances without need. */
  readonly balancesZones: boolean;
};

export type Member = {
  readonly instanceId: string;
  /** The launch template version that the instance was started from. */
  readonly version: string;
  /** The lifecycle state of Auto Scaling, e.g. `InService`. */
  readonly lifecycle: string;
};

export type TemplateVersion = {
  readonly templateId: string;
  readonly version: string;
  readonly imageId: string;
  /** In base64, as EC2 stores it. */
  readonly userData: string;
  /** The revision that `stack deploy` gave the version, or that the version took over; empty when there is none. */
  readonly revision: string;
};

/** The group of a cluster by its tag, and by its name when several groups have the tag. */
export async function findGroup(target: Target, cluster: string, name?: string): Promise<NodeGroup> {
  const groups = await groupsOf(target, [cluster]);
  const found = groups.filter((group) => name === undefined || group.AutoScalingGroupName === name);
  const [only] = found;
  if (only === undefined || found.length > 1)
    throw new EclairAmiError({
      code: "group.not-found",
      operation: `finding the Auto Scaling group of ${cluster}`,
      message:
        only === undefined
          ? `no Auto Scaling group ${name === undefined ? "" : `named ${name} `}has the tag ${tags.cluster}=${cluster}`
          : `several Auto Scaling groups have the tag: ${found.map((one) => one.AutoScalingGroupName).join(", ")}`,
      remedy:
        "create the group as docs/failover.md describes; when there are several groups, name one with --group",
      exitCode: 2,
    });
  return await describeGroup(target, only);
}

async function describeGroup(target: Target, group: AutoScalingGroup): Promise<NodeGroup> {
  const { LaunchTemplate, Instances = [], Tags = [] } = group;
  const templateId = LaunchTemplate?.LaunchTemplateId;
  if (templateId === undefined)
    throw unsupported(
      group,
      "the group has no launch template of its own",
      "give the group a launch template; a launch configuration or a mixed instances policy is not supported",
    );
  const version = LaunchTemplate?.Version ?? "$Default";
  if (version.startsWith("$"))
    throw unsupported(
      group,
      `the group launches the version ${version} of its launch template: a new version would change the group by itself`,
      "configure the group with the number of a version",
    );
  const lastReplace = parseReplaceState(Tags.find(({ Key }) => Key === tags.replace)?.Value);
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
    ...(lastReplace !== undefined && { lastReplace }),
    balancesZones: balancesZones(group),
  };
}

const balancesZones = ({ SuspendedProcesses = [] }: AutoScalingGroup): boolean =>
  !SuspendedProcesses.some(({ ProcessName }) => ProcessName === "AZRebalance");

/** What the operator must know about a group that balances its zones. */
export const balancingWarning = (group: string): string =>
  `the Auto Scaling group ${group} balances its availability zones and can terminate the only instance that is ready: suspend its process AZRebalance with \`aws autoscaling suspend-processes --auto-scaling-group-name ${group} --scaling-processes AZRebalance\``;

async function groupsOf(target: Target, clusters: readonly string[]): Promise<AutoScalingGroup[]> {
  return await allItems(
    paginateDescribeAutoScalingGroups(
      { client: target.client(AutoScalingClient) },
      { Filters: [{ Name: `tag:${tags.cluster}`, Values: [...clusters] }] },
    ),
    ({ AutoScalingGroups }) => AutoScalingGroups,
  );
}

/** The names of the groups of these clusters that balance their zones. */
export async function balancingGroups(target: Target, clusters: readonly string[]): Promise<string[]> {
  if (clusters.length === 0) return [];
  const groups = await groupsOf(target, clusters);
  return groups.filter(balancesZones).map(({ AutoScalingGroupName = "" }) => AutoScalingGroupName);
}

/** Completes the terminating hook of an instance that serves nothing, so that its volume becomes free at once. */
export async function completeTermination(
  target: Target,
  { name }: Pick<NodeGroup, "name">,
  instanceId: string,
): Promise<void> {
  try {
    await target.client(AutoScalingClient).send(
      new CompleteLifecycleActionCommand({
        AutoScalingGroupName: name,
        LifecycleHookName: hookNames.terminating,
        LifecycleActionResult: "CONTINUE",
        InstanceId: instanceId,
      }),
    );
  } catch (error) {
    // The instance has completed the hook itself, or the group has no such hook.
    if (!(error instanceof Error) || !/No active Lifecycle Action|not found/i.test(error.message))
      throw error;
  }
}

function unsupported(
  { AutoScalingGroupName }: AutoScalingGroup,
  message: string,
  remedy: string,
): EclairAmiError {
  return new EclairAmiError({
    code: "group.template-version",
    operation: `reading the Auto Scaling group ${AutoScalingGroupName}`,
    message,
    remedy,
    exitCode: 2,
  });
}

export async function templateVersion(
  target: Target,
  templateId: string,
  version: string,
): Promise<TemplateVersion> {
  const { LaunchTemplateVersions = [] } = await target
    .client(EC2Client)
    .send(new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: templateId, Versions: [version] }));
  const [found] = LaunchTemplateVersions;
  const { ImageId = "", UserData = "", TagSpecifications = [] } = found?.LaunchTemplateData ?? {};
  const instanceTags = TagSpecifications.flatMap(({ Tags = [] }) => Tags);
  return {
    templateId,
    version: String(found?.VersionNumber),
    imageId: ImageId,
    userData: UserData,
    revision: instanceTags.find(({ Key }) => Key === tags.templateRevision)?.Value ?? "",
  };
}

/** Makes the group launch another version of its launch template. */
export async function useVersion(
  target: Target,
  group: Pick<NodeGroup, "name">,
  { templateId, version }: Pick<TemplateVersion, "templateId" | "version">,
): Promise<void> {
  await target.client(AutoScalingClient).send(
    new UpdateAutoScalingGroupCommand({
      AutoScalingGroupName: group.name,
      LaunchTemplate: { LaunchTemplateId: templateId, Version: version },
    }),
  );
}

/** Stores the state of a `replace` on the group, for a later `replace` that continues or reverts it. */
export async function saveReplaceState(
  target: Target,
  { name }: Pick<NodeGroup, "name">,
  state: ReplaceState,
): Promise<void> {
  const resource = { ResourceId: name, ResourceType: "auto-scaling-group" };
  const tag = { Key: tags.replace, Value: formatReplaceState(state), PropagateAtLaunch: false };
  await target
    .client(AutoScalingClient)
    .send(new CreateOrUpdateTagsCommand({ Tags: [{ ...resource, ...tag }] }));
}

/** Terminates a member; the group launches another instance in its place. */
export async function terminateMember(target: Target, instanceId: string): Promise<void> {
  await target.client(AutoScalingClient).send(
    new TerminateInstanceInAutoScalingGroupCommand({
      InstanceId: instanceId,
      ShouldDecrementDesiredCapacity: false,
    }),
  );
}
