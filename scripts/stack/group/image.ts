import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { NamedTemplate, Template, TemplateResource } from "../../../infra/synthesize.ts";
import { templateVersion, useVersion, type NodeGroup } from "../../cluster/replace/group.ts";
import type { Target } from "../../target/target.ts";

type TemplateData = {
  readonly ImageId?: string;
  readonly UserData?: string;
  readonly TagSpecifications?: unknown;
};

/**
 * The template of a deployed stack with the image, the user-data and the revision that its group runs. When an update fails,
 * CloudFormation returns to the template before it: that template must not contain the image from before a `replace`.
 * @param next the template that is deployed afterwards, which contains what the group runs
 * @returns undefined when the deployed template contains it already, or has no group
 */
export function templateWithRunning(deployed: Template, next: NamedTemplate): NamedTemplate | undefined {
  const [logicalId, current] = templateOfGroup(deployed) ?? [];
  const [, following] = templateOfGroup(next.template) ?? [];
  if (logicalId === undefined || current === undefined || following === undefined) return undefined;
  const { ImageId, UserData, TagSpecifications } = dataOf(following);
  const data = { ...dataOf(current), ImageId, UserData, TagSpecifications };
  if (JSON.stringify(data) === JSON.stringify({ ...dataOf(current) })) return undefined;
  const resource = { ...current, Properties: { ...current.Properties, LaunchTemplateData: data } };
  return {
    stackName: next.stackName,
    template: { ...deployed, Resources: { ...deployed.Resources, [logicalId]: resource } },
  };
}

/** The launch template with an image: the one of the group. */
const templateOfGroup = ({ Resources }: Template): readonly [string, TemplateResource] | undefined =>
  Object.entries(Resources).find(
    ([, resource]) => resource.Type === "AWS::EC2::LaunchTemplate" && dataOf(resource).ImageId !== undefined,
  );

const dataOf = ({ Properties }: TemplateResource): TemplateData => Properties?.["LaunchTemplateData"] ?? {};

/**
 * Gives the group the launch template version that it had before a failed update, unless it still launches the same image and
 * user-data.
 */
export async function restoreVersion(
  target: Target,
  before: Pick<NodeGroup, "name" | "template">,
  after: Pick<NodeGroup, "template">,
): Promise<void> {
  const { imageId, userData } = before.template;
  if (after.template.imageId === imageId && after.template.userData === userData) return;
  await useVersion(target, before, before.template);
}

/**
 * Refuses a group that would replace its instances by instances of another image. This is the state after an update that
 * failed and that nothing corrected.
 */
export async function requireInstancesOfImage(
  target: Target,
  { name, template, members }: Pick<NodeGroup, "name" | "template" | "members">,
): Promise<void> {
  for (const version of new Set(members.map((member) => member.version))) {
    if (version === "" || version === template.version) continue;
    const { imageId } = await templateVersion(target, template.templateId, version);
    if (imageId === template.imageId) continue;
    throw new EclairAmiError({
      code: "stack.group-image-differs",
      operation: `reading the Auto Scaling group ${name}`,
      message: `instances of the group run the image ${imageId}, and the group would launch ${template.imageId}`,
      remedy: `run \`eclair-ami replace --cluster ${name} --image ${imageId}\` to keep the image of the instances, or name the other image`,
    });
  }
}
