import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { ClusterRecord } from "../../../bootstrap/contract/record/record.ts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import type { Target } from "../../target/target.ts";
import { readConfiguration } from "../configuration/read.ts";
import { createTemplateVersion, requireImage, userDataOf, type KnownImage } from "../launch.ts";
import { templateVersion, type NodeGroup } from "./group.ts";

/** What a `replace` does to a group. */
export type Plan = {
  readonly imageId: string;
  /** In base64. */
  readonly userData: string;
  /** The launch template version, when it exists already. */
  readonly version?: string;
  /** The version to which the group returns when the `replace` stops before its switchover. */
  readonly from: string;
  readonly state: "rollingForward" | "rollingBack";
  /** Whether the plan continues an unfinished `replace` of the group. */
  readonly resumed: boolean;
  /** Whether the `replace` that the plan continues was reversible; true for a new one. */
  readonly wasReversible: boolean;
};

/** To another image, or the continuation of the `replace` to that image. */
export async function forwardPlan(
  { template, lastReplace, members }: NodeGroup,
  cluster: string,
  imageId: string,
  configurationFile: string | undefined,
): Promise<Plan> {
  const userData =
    configurationFile === undefined ? template.userData : await userDataIn(configurationFile, cluster);
  const isCurrent = template.imageId === imageId && template.userData === userData;
  const unfinished = lastReplace?.state === "rollingForward" ? lastReplace : undefined;
  const resumed = isCurrent && unfinished?.to === template.version;
  const outdatedVersion = members.find(({ version }) => version !== template.version)?.version;
  return {
    imageId,
    userData,
    ...(isCurrent && { version: template.version }),
    // The target of an unfinished `replace` is not a version to return to.
    from: unfinished?.from ?? (isCurrent ? outdatedVersion : undefined) ?? template.version,
    state: "rollingForward",
    resumed,
    wasReversible: !resumed || unfinished.reversible,
  };
}

/** To the version from which the last `replace` began, or the continuation of that rollback. */
export async function backwardPlan(
  target: Target,
  { name, template, lastReplace }: NodeGroup,
): Promise<Plan> {
  if (lastReplace === undefined || lastReplace.from === lastReplace.to)
    throw invalid(`the group ${name} has no replace to roll back`, "name the image with --image");
  const isRollback = lastReplace.state === "rollingBack";
  const version = isRollback ? lastReplace.to : lastReplace.from;
  const { imageId, userData } = await templateVersion(target, template.templateId, version);
  return {
    imageId,
    userData,
    version,
    from: isRollback ? lastReplace.from : lastReplace.to,
    state: "rollingBack",
    resumed: lastReplace.state !== "done",
    // An unfinished `replace` may have changed the schemas before the record shows that.
    wasReversible: lastReplace.state === "done" || lastReplace.reversible,
  };
}

/** Creates the launch template version of a plan. */
export async function templateVersionOf(
  target: Target,
  { template }: NodeGroup,
  { imageId, userData }: Plan,
): Promise<string> {
  const wanted = { sourceVersion: template.version, imageId, userData };
  return (await createTemplateVersion(target, { LaunchTemplateId: template.templateId }, wanted)).version;
}

/** The version of the Eclair in an image, by the image's tag. */
export async function eclairVersionOf(
  target: Target,
  image: KnownImage,
  { node }: ClusterRecord,
): Promise<string> {
  return (await requireImage(target, image, node.chain)).get(tags.eclairVersion) ?? "";
}

async function userDataIn(file: string, cluster: string): Promise<string> {
  const { configuration, userData } = await readConfiguration(file);
  if (configuration.cluster === cluster) return userDataOf(userData);
  throw invalid(
    `${file} is a configuration of the cluster ${configuration.cluster}`,
    `name a configuration of ${cluster}`,
  );
}

function invalid(message: string, remedy: string): EclairAmiError {
  return new EclairAmiError({
    code: "replace.invalid",
    operation: "planning the replace",
    message,
    remedy,
    exitCode: 2,
  });
}
