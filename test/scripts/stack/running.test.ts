import { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { EC2Client } from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { formatReplaceState } from "../../../scripts/cluster/replace/replace-state.ts";
import { runningOf } from "../../../scripts/stack/group/running.ts";
import type { Target } from "../../../scripts/target/target.ts";
import { stackDocument } from "../../infra/variants.ts";

/** A version of the launch template: its image and its revision. */
type Version = { readonly image: string; readonly revision?: string };

/** What exists on AWS. The versions are numbered from 1. */
type World = {
  readonly versions: readonly Version[];
  /** The version that the group uses; without it, there is no group. */
  readonly used?: number;
  /** The version that the stack created last. */
  readonly created?: number;
  /** The versions of the instances. */
  readonly members?: readonly number[];
  readonly replaceState?: "rollingForward" | "rollingBack" | "done";
  readonly architecture?: string;
};

/** A target that answers from a world, and fails for every other call. */
function targetOf(world: World): Target {
  const { versions, used, created, members = used === undefined ? [] : [used, used], replaceState } = world;
  const group = {
    AutoScalingGroupName: "demo",
    LaunchTemplate: { LaunchTemplateId: "lt-1", Version: String(used) },
    DesiredCapacity: 2,
    Instances: members.map((version, index) => ({
      InstanceId: `i-${index}`,
      LifecycleState: "InService",
      LaunchTemplate: { LaunchTemplateId: "lt-1", Version: String(version) },
    })),
    Tags:
      replaceState === undefined
        ? []
        : [
            {
              Key: tags.replace,
              Value: formatReplaceState({ from: "1", to: "2", state: replaceState, reversible: true }),
            },
          ],
  };
  const answers: Readonly<Record<string, (input: { Versions?: string[] }) => object>> = {
    DescribeAutoScalingGroupsCommand: () => ({ AutoScalingGroups: used === undefined ? [] : [group] }),
    DescribeLaunchTemplatesCommand: () => ({ LaunchTemplates: [{ LatestVersionNumber: versions.length }] }),
    DescribeLaunchTemplateVersionsCommand: ({ Versions: [number] = [] }) => {
      const version = versions[Number(number) - 1];
      const instanceTags = [{ Key: tags.templateRevision, Value: version?.revision ?? "" }];
      return {
        LaunchTemplateVersions: [
          {
            VersionNumber: Number(number),
            LaunchTemplateData: {
              ImageId: version?.image,
              UserData: "eA==",
              TagSpecifications: [{ ResourceType: "instance", Tags: instanceTags }],
            },
          },
        ],
      };
    },
    DescribeStacksCommand: () => ({
      Stacks: [
        {
          StackStatus: "UPDATE_COMPLETE",
          Outputs: [{ OutputKey: "LaunchTemplateVersion", OutputValue: String(created) }],
        },
      ],
    }),
    DescribeImagesCommand: () => ({ Images: [{ Architecture: world.architecture ?? "x86_64" }] }),
    DescribeInstanceTypesCommand: () => ({
      InstanceTypes: [{ ProcessorInfo: { SupportedArchitectures: ["x86_64"] } }],
    }),
  };
  const send = async (command: { input: object; constructor: { name: string } }) => {
    const answer = answers[command.constructor.name];
    if (answer === undefined) throw new Error(`unexpected call: ${command.constructor.name}`);
    return await Promise.resolve(answer(command.input));
  };
  const clients = [AutoScalingClient, CloudFormationClient, EC2Client].map((service) =>
    Object.assign(new service({ region: "us-east-1" }), { send }),
  );
  return {
    ...{ name: "aws", region: "us-east-1", packerVariables: {}, commandPrefix: [], instance: { type: "x" } },
    client: (service) => clients.find((one) => one instanceof service) as never,
  };
}

const running = async (world: World) => await runningOf(targetOf(world), stackDocument(), undefined);
const a = { image: "ami-a", revision: "0" };
const b = { image: "ami-b", revision: "0" };

test("without a group, nothing runs", async () => {
  expect(await running({ versions: [] })).toBeUndefined();
});

test.each<[string, World, string, string]>([
  ["the stack's own version keeps its revision", { versions: [a], used: 1, created: 1 }, "ami-a", "0"],
  [
    "a `replace` gives its image",
    { versions: [a, b], used: 2, created: 1, replaceState: "done" },
    "ami-b",
    "2",
  ],
  [
    "after the deployment that followed, nothing changes",
    { versions: [a, b, { ...b, revision: "2" }], used: 3, created: 3, members: [2, 3] },
    "ami-b",
    "2",
  ],
  [
    "a rollback gives the earlier image, and a revision that was never used",
    { versions: [a, b], used: 1, created: 1, replaceState: "done" },
    "ami-a",
    "2",
  ],
  [
    "a second rollback gives another revision than the first one",
    { versions: [a, b, { ...a, revision: "2" }, b], used: 3, created: 3 },
    "ami-a",
    "4",
  ],
  [
    "a version that a failed deployment left is not used",
    { versions: [a, b, { ...b, revision: "2" }], used: 2, created: 1, members: [2, 2] },
    "ami-b",
    "3",
  ],
])("%s", async (_, world, imageId, revision) => {
  expect(await running(world)).toEqual({ imageId, userData: "eA==", revision });
});

test.each<[string, World, string]>([
  [
    "a `replace` that is not complete",
    { versions: [a, b], used: 2, created: 1, members: [1, 2], replaceState: "rollingForward" },
    "stack.replace-in-progress",
  ],
  [
    "a group that a failed deployment returned to the image before a `replace`",
    { versions: [a, b, { ...a, revision: "0" }], used: 3, created: 1, members: [2, 2], replaceState: "done" },
    "stack.group-image-differs",
  ],
  [
    "an image for other processors than those of the instance type",
    { versions: [a], used: 1, created: 1, architecture: "arm64" },
    "stack.image-mismatch",
  ],
])("%s is refused", async (_, world, code) => {
  await expect(running(world)).rejects.toMatchObject({ code });
});
