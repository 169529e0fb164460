import {
  CloudFormationClient,
  SetStackPolicyCommand,
  UpdateTerminationProtectionCommand,
} from "@aws-sdk/client-cloudformation";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import type { NamedTemplate } from "../../infra/synthesize.ts";
import type { Target } from "../target/target.ts";
import {
  createChangeSet,
  discardChangeSet,
  executeChangeSet,
  type ChangeSet,
} from "./cloudformation/change-set.ts";
import { currentTemplate } from "./cloudformation/current-template.ts";
import { endangered, protectedResources, stackPolicy } from "./protection.ts";

export type StackOptions = {
  /** The logical ids of protected resources that may be replaced or removed. */
  readonly allowed: readonly string[];
  /** Shows a change set before it is executed. @returns whether to execute it */
  readonly confirm: (changeSet: ChangeSet) => Promise<boolean>;
  readonly report: (line: string) => void;
};

/**
 * Deploys one stack with a change set, and protects its resources.
 * @throws EclairAmiError `stack.protected-resource` when a protected resource would be replaced or removed
 */
export async function deployStack(
  target: Target,
  template: NamedTemplate,
  options: StackOptions,
): Promise<void> {
  const { stackName } = template;
  const before = await currentTemplate(target, stackName);
  const changeSet = await createChangeSet(target, template);
  const ids = protectedResources(template.template);
  if (changeSet === undefined) {
    options.report(`${stackName}: no changes`);
    await protect(target, stackName, ids);
    return;
  }
  const known = [...new Set([...ids, ...(before === undefined ? [] : protectedResources(before))])];
  await requireSafe(target, changeSet, known, options.allowed);
  const isConfirmed = await options.confirm(changeSet).catch(async (error: unknown) => {
    await discardChangeSet(target, changeSet);
    throw error;
  });
  if (!isConfirmed) {
    await discardChangeSet(target, changeSet);
    throw new EclairAmiError({
      code: "stack.declined",
      operation: `deploying ${stackName}`,
      message: "the changes were declined",
      remedy: "run the command again to see them again; stacks before this one are deployed",
    });
  }
  const isRelaxed = changeSet.kind === "UPDATE" && options.allowed.length > 0;
  if (isRelaxed) await setPolicy(target, stackName, stackPolicy(known, options.allowed));
  try {
    await executeChangeSet(target, changeSet);
  } finally {
    if (isRelaxed) await setPolicy(target, stackName, stackPolicy(ids));
  }
  await protect(target, stackName, ids);
  options.report(`${stackName}: deployed`);
}

async function requireSafe(
  target: Target,
  changeSet: ChangeSet,
  ids: readonly string[],
  allowed: readonly string[],
): Promise<void> {
  const refused = endangered(changeSet.changes, ids).filter(
    ({ LogicalResourceId = "" }) => !allowed.includes(LogicalResourceId),
  );
  if (refused.length === 0) return;
  await discardChangeSet(target, changeSet);
  const list = refused.map(
    ({ LogicalResourceId, ResourceType, PhysicalResourceId, Action, Details = [] }) => {
      const names = Details.filter(({ Target }) => (Target?.RequiresRecreation ?? "Never") !== "Never").map(
        ({ Target }) => Target?.Name,
      );
      const change = Action === "Remove" ? "removed" : `replaced, because of ${names.join(", ")}`;
      return `${LogicalResourceId} (${ResourceType} ${PhysicalResourceId}) would be ${change}`;
    },
  );
  throw new EclairAmiError({
    code: "stack.protected-resource",
    operation: `deploying ${changeSet.stackName}`,
    message: list.join("; "),
    remedy: `undo the change in the document. To accept the loss of the resource, pass --replace ${refused.map(({ LogicalResourceId }) => LogicalResourceId).join(" ")}; nothing was changed in this stack`,
    exitCode: 2,
  });
}

/** Protects a stack and its resources from a mistake in the console, too. */
async function protect(target: Target, StackName: string, ids: readonly string[]): Promise<void> {
  const client = target.client(CloudFormationClient);
  if (ids.length > 0) await setPolicy(target, StackName, stackPolicy(ids));
  await client.send(new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: true }));
}

async function setPolicy(target: Target, StackName: string, StackPolicyBody: string): Promise<void> {
  await target.client(CloudFormationClient).send(new SetStackPolicyCommand({ StackName, StackPolicyBody }));
}
