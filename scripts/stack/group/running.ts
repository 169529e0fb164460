import {
  DescribeImagesCommand,
  DescribeInstanceTypesCommand,
  DescribeLaunchTemplatesCommand,
  EC2Client,
  type _InstanceType,
} from "@aws-sdk/client-ec2";
import type { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { instanceTypeOf, type StackDocument } from "../../../infra/stack-document.ts";
import type { Running } from "../../../infra/cluster/launch-template.ts";
import { stackNames } from "../../../infra/stack-names.ts";
import { requireChainSnapshot } from "../../cluster/chain/snapshots.ts";
import { readConfiguration } from "../../cluster/configuration/read.ts";
import { requireImage, userDataOf, type KnownImage } from "../../cluster/launch.ts";
import { findGroup, type NodeGroup, type TemplateVersion } from "../../cluster/replace/group.ts";
import type { Target } from "../../target/target.ts";
import { describeGroup } from "./describe.ts";
import { requireInstancesOfImage } from "./image.ts";
import { deployedCluster } from "../node-documents.ts";
import { outputsOf } from "../cloudformation/stacks.ts";

/** The image and the configuration for the first instances of a group. */
export type FirstLaunch = { readonly image: KnownImage; readonly configurationFile: string };

/**
 * The image and the user-data of a cluster's group. A `replace` changes both, and a deployment must keep them.
 * @param first for a cluster without a group
 * @returns undefined when the cluster has no group, and no image is named
 * @throws EclairAmiError `stack.image-in-use` when an image is named for a cluster with a group, `stack.replace-in-progress`
 */
export async function runningOf(
  target: Target,
  document: StackDocument,
  first: FirstLaunch | undefined,
): Promise<Running | undefined> {
  const running = await readRunning(target, document.cluster, first);
  if (running !== undefined) await requireFittingImage(target, document, running.imageId);
  return running;
}

async function readRunning(
  target: Target,
  cluster: string,
  first: FirstLaunch | undefined,
): Promise<Running | undefined> {
  // Also when the stack is in a failed state: a template without an image would delete the group.
  const group = await groupOf(target, cluster);
  if (group === undefined) {
    if (first === undefined) return undefined;
    const { configuration, userData } = await readConfiguration(first.configurationFile);
    await requireMatchingConfiguration(target, cluster, first.configurationFile, configuration);
    const imageTags = await requireImage(target, first.image, configuration.chain);
    await requireChainSnapshot(target, configuration, imageTags);
    return { imageId: first.image.imageId, userData: userDataOf(userData), revision: "0" };
  }
  const { template, lastReplace } = group;
  const { imageId, userData } = template;
  if (first !== undefined)
    throw new EclairAmiError({
      code: "stack.image-in-use",
      operation: `deploying the stacks of ${cluster}`,
      message: `the group runs the image ${imageId}`,
      remedy: "run `eclair-ami replace` to change image or configuration, and `stack deploy` without them",
      exitCode: 2,
    });
  if (lastReplace !== undefined && lastReplace.state !== "done")
    throw new EclairAmiError({
      code: "stack.replace-in-progress",
      operation: `deploying the stacks of ${cluster}`,
      message: "a `replace` of the group is not complete",
      remedy: "complete the `replace`, or revert it with `replace --rollback`, and run this command again",
    });
  await requireInstancesOfImage(target, group);
  const outputs = await outputsOf(target, stackNames(cluster).cluster);
  const revision = await revisionOf(target, template, outputs?.get("LaunchTemplateVersion"));
  return { imageId, userData, revision };
}

/**
 * The revision in the launch template. It stays the same while the group runs the newest version, and the stack created that
 * version. Otherwise it becomes the number of the newest version: this number only grows, so the template differs from every
 * earlier one, and CloudFormation creates a version for the group.
 */
async function revisionOf(
  target: Target,
  { templateId, version, revision }: TemplateVersion,
  createdByStack: string | undefined,
): Promise<string> {
  const { LaunchTemplates } = await target
    .client(EC2Client)
    .send(new DescribeLaunchTemplatesCommand({ LaunchTemplateIds: [templateId] }));
  const latest = String(LaunchTemplates?.[0]?.LatestVersionNumber);
  return version === latest && version === createdByStack ? revision : latest;
}

/** The group of a cluster's stack; undefined before the first instances. */
export async function groupOf(target: Target, cluster: string): Promise<NodeGroup | undefined> {
  const exists = (await describeGroup(target, cluster)) !== undefined;
  return exists ? await findGroup(target, cluster, cluster) : undefined;
}

/** A group whose image does not run on its instance type could replace no instance. */
async function requireFittingImage(target: Target, document: StackDocument, imageId: string): Promise<void> {
  const ec2 = target.client(EC2Client);
  const type = instanceTypeOf(document);
  // By a filter: an image that was deregistered is reported by `status`, and does not stop a deployment.
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({
      IncludeDeprecated: true,
      Filters: [{ Name: "image-id", Values: [imageId] }],
    }),
  );
  const { InstanceTypes = [] } = await ec2.send(
    new DescribeInstanceTypesCommand({ InstanceTypes: [type as _InstanceType] }),
  );
  const architecture = Images[0]?.Architecture;
  const supported: readonly string[] = InstanceTypes[0]?.ProcessorInfo?.SupportedArchitectures ?? [];
  if (architecture === undefined || supported.includes(architecture)) return;
  throw new EclairAmiError({
    code: "stack.image-mismatch",
    operation: `deploying the stacks of ${document.cluster}`,
    message: `the image ${imageId} is for ${architecture}, and the instance type ${type} is for ${supported.join(", ")}`,
    remedy: "name an instance type of the image's architecture in the document, or use another image",
    exitCode: 2,
  });
}

/** An instance with another database or another target group than those of the stacks would serve nobody. */
async function requireMatchingConfiguration(
  target: Target,
  cluster: string,
  file: string,
  configuration: NodeConfiguration,
): Promise<void> {
  const { host, port, name } = configuration.database;
  const deployed = await deployedCluster(target, cluster);
  const names: readonly (readonly [string, readonly string[], string])[] = [
    ["cluster", [configuration.cluster], cluster],
    ["chain", [configuration.chain], deployed.chain],
    ["record.table", [configuration.record.table], deployed.table],
    ["database.host", [host], deployed.database.host],
    ["database.port", [String(port)], String(deployed.database.port)],
    ["database.name", [name], deployed.database.name],
    ["targetGroupArns", configuration.targetGroupArns, deployed.targetGroupArn],
  ];
  const differences = names.filter(([, values, expected]) => !values.includes(expected));
  if (differences.length === 0) return;
  throw new EclairAmiError({
    code: "stack.configuration-mismatch",
    operation: `reading ${file}`,
    message: differences
      .map(([key, values, expected]) => `${key} is ${values.join(", ")}, and the stacks have ${expected}`)
      .join("; "),
    remedy: `write the configuration with \`eclair-ami config new --from-stack ${cluster}\``,
    exitCode: 2,
  });
}
