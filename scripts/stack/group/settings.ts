import {
  AutoScalingClient,
  DescribeLifecycleHooksCommand,
  PutLifecycleHookCommand,
  SuspendProcessesCommand,
  UpdateAutoScalingGroupCommand,
  type LifecycleHook,
  type LifecycleHookSpecification,
} from "@aws-sdk/client-auto-scaling";
import { stackNames } from "../../../infra/stack-names.ts";
import type { Template } from "../../../infra/synthesize.ts";
import type { Target } from "../../target/target.ts";
import { currentTemplate } from "../cloudformation/current-template.ts";
import { describeGroup } from "./describe.ts";

/** A setting of a group that is not as the stack needs it. */
type Difference = {
  readonly problem: string;
  readonly correct: () => Promise<unknown>;
};

/**
 * Sets what CloudFormation has no property for, and what a `destroy` that was interrupted has changed: CloudFormation does not
 * compare a group with its template.
 */
export async function correctGroup(target: Target, cluster: string): Promise<void> {
  for (const { correct } of await differences(target, cluster)) await correct();
}

export async function groupProblems(target: Target, cluster: string): Promise<string[]> {
  return (await differences(target, cluster)).map(({ problem }) => problem);
}

type GroupProperties = {
  readonly MinSize: string;
  readonly MaxSize: string;
  readonly LifecycleHookSpecificationList: readonly LifecycleHookSpecification[];
};

function groupPropertiesIn(template: Template | undefined): GroupProperties | undefined {
  const group = Object.values(template?.Resources ?? {}).find(
    ({ Type }) => Type === "AWS::AutoScaling::AutoScalingGroup",
  );
  return group?.Properties as GroupProperties | undefined;
}

async function differences(target: Target, AutoScalingGroupName: string): Promise<Difference[]> {
  const client = target.client(AutoScalingClient);
  const expected = groupPropertiesIn(await currentTemplate(target, stackNames(AutoScalingGroupName).cluster));
  const group = await describeGroup(target, AutoScalingGroupName);
  // Before the first instances, the stack has no group.
  if (expected === undefined) return [];
  if (group === undefined)
    return [
      {
        problem: `the Auto Scaling group ${AutoScalingGroupName} was deleted: run \`stack deploy\` without an image, and then with --image and --node-config`,
        correct: async () => await Promise.resolve(),
      },
    ];
  const found: Difference[] = [];
  if (!group.SuspendedProcesses?.some(({ ProcessName }) => ProcessName === "AZRebalance"))
    found.push({
      problem: "the process AZRebalance of the group is not suspended",
      correct: async () =>
        await client.send(
          new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses: ["AZRebalance"] }),
        ),
    });
  const [MinSize, MaxSize] = [Number(expected.MinSize), Number(expected.MaxSize)];
  if (group.MinSize !== MinSize || group.MaxSize !== MaxSize)
    found.push({
      problem: `the size of the group is from ${group.MinSize} to ${group.MaxSize}, and the stack has ${MinSize} to ${MaxSize}`,
      correct: async () =>
        await client.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName, MinSize, MaxSize })),
    });
  const { LifecycleHooks = [] } = await client.send(
    new DescribeLifecycleHooksCommand({ AutoScalingGroupName }),
  );
  for (const hook of expected.LifecycleHookSpecificationList)
    if (!LifecycleHooks.some((existing) => isSameHook(existing, hook)))
      found.push({
        problem: `the group has no lifecycle hook ${hook.LifecycleHookName} as in the stack`,
        correct: async () =>
          await client.send(new PutLifecycleHookCommand({ AutoScalingGroupName, ...hook })),
      });
  return found;
}

const isSameHook = (a: LifecycleHook, b: LifecycleHookSpecification): boolean =>
  a.LifecycleHookName === b.LifecycleHookName &&
  a.LifecycleTransition === b.LifecycleTransition &&
  a.HeartbeatTimeout === b.HeartbeatTimeout &&
  a.DefaultResult === b.DefaultResult;
