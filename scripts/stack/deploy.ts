import { EC2Client, ModifyLaunchTemplateCommand } from "@aws-sdk/client-ec2";
import { isDeepStrictEqual } from "node:util";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import type { Running } from "../../infra/cluster/launch-template.ts";
import type { StackDocument } from "../../infra/stack-document.ts";
import { stackNames } from "../../infra/stack-names.ts";
import { synthesize, type NamedTemplate } from "../../infra/synthesize.ts";
import type { Target } from "../target/target.ts";
import { currentTemplate } from "./cloudformation/current-template.ts";
import { outputsOf } from "./cloudformation/stacks.ts";
import { deployStack, type StackOptions } from "./deploy-stack.ts";
import { restoreVersion, templateWithRunning } from "./group/image.ts";
import { groupOf, runningOf, type FirstLaunch } from "./group/running.ts";
import { correctGroup } from "./group/settings.ts";
import { createServiceLinkedRoles } from "./service-linked-roles.ts";

export type DeployOptions = StackOptions & {
  readonly document: StackDocument;
  /** What the first instances run. */
  readonly first?: FirstLaunch | undefined;
};

/**
 * Deploys the stacks of a node, one after another, and then sets what CloudFormation cannot express. Every step can be repeated:
 * a deployment that was interrupted continues with the first stack that is not complete.
 */
export async function deploy(target: Target, options: DeployOptions): Promise<void> {
  const { document, report } = options;
  const { cluster } = document;
  const running = await runningOf(target, document, options.first);
  for (const service of await createServiceLinkedRoles(target))
    report(`created the service-linked role of ${service}`);
  for (const template of synthesize(document, running))
    await (template.stackName === stackNames(cluster).cluster
      ? deployCluster(target, template, options, running)
      : deployStack(target, template, options));
  await correctGroup(target, cluster);
  await updateDefaultVersion(target, cluster);
}

/**
 * Deploys the cluster stack so that also a failure leaves the group with the image that it runs: the stack first gets this image,
 * without another change, and CloudFormation returns to it.
 */
async function deployCluster(
  target: Target,
  template: NamedTemplate,
  options: DeployOptions,
  running: Running | undefined,
): Promise<void> {
  const { document } = options;
  const confirm: StackOptions["confirm"] = async (changeSet) => {
    const isConfirmed = await options.confirm(changeSet);
    if (isConfirmed) await requireSameRunning(target, options, running);
    return isConfirmed;
  };
  const deployed = await currentTemplate(target, template.stackName);
  const withRunning = deployed && templateWithRunning(deployed, template);
  const before = await groupOf(target, document.cluster);
  try {
    if (withRunning !== undefined) await deployStack(target, withRunning, { ...options, confirm });
    await deployStack(target, template, { ...options, confirm });
  } catch (error) {
    const after = await groupOf(target, document.cluster);
    if (before !== undefined && after !== undefined) await restoreVersion(target, before, after);
    throw error;
  }
}

/** Deploys only the account stack, which all clusters of an account and region share. */
export async function deployAccountStack(target: Target, options: DeployOptions): Promise<void> {
  const { document } = options;
  for (const template of synthesize(document))
    if (template.stackName === stackNames(document.cluster).account)
      await deployStack(target, template, options);
}

/** Makes `init` and `launch`, which use the default version of their launch template, use the newest settings. */
async function updateDefaultVersion(target: Target, cluster: string): Promise<void> {
  const outputs = await outputsOf(target, stackNames(cluster).cluster);
  await target.client(EC2Client).send(
    new ModifyLaunchTemplateCommand({
      LaunchTemplateId: outputs?.get("SingleLaunchTemplateId"),
      DefaultVersion: outputs?.get("SingleLaunchTemplateVersion"),
    }),
  );
}

/** A `replace` can have changed the group while CloudFormation worked, or while the operator read the changes. */
async function requireSameRunning(
  target: Target,
  { document, first }: DeployOptions,
  before: Running | undefined,
) {
  if (isDeepStrictEqual(await runningOf(target, document, first), before)) return;
  throw new EclairAmiError({
    code: "stack.group-changed",
    operation: `deploying the stacks of ${document.cluster}`,
    message: "another command has changed what the group runs since this deployment began",
    remedy: "run the command again; the group was not changed",
  });
}
