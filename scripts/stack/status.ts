import { CloudFormationClient, GetStackPolicyCommand, type Stack } from "@aws-sdk/client-cloudformation";
import type { StackDocument } from "../../infra/stack-document.ts";
import { stackNames } from "../../infra/stack-names.ts";
import type { Target } from "../target/target.ts";
import { currentTemplate } from "./cloudformation/current-template.ts";
import { groupProblems } from "./group/settings.ts";
import { protectedResources, stackPolicy } from "./protection.ts";
import { missingServiceLinkedRoles } from "./service-linked-roles.ts";
import { describeStack, isComplete } from "./cloudformation/stacks.ts";

export type StackStatus = {
  readonly stackName: string;
  /** The state in CloudFormation, or `missing`. */
  readonly state: string;
  /** What `stack deploy` would correct. */
  readonly problems: readonly string[];
};

/** The state of the stacks of a cluster, and of what CloudFormation cannot express. */
export async function stackStatus(
  target: Target,
  { cluster, table }: Pick<StackDocument, "cluster" | "table">,
): Promise<StackStatus[]> {
  const names = stackNames(cluster);
  const statuses: StackStatus[] = [];
  for (const stackName of Object.values(names)) {
    if (stackName === names.account && table.existing) continue;
    const stack = await describeStack(target, stackName);
    const problems =
      stack === undefined
        ? ["the stack does not exist"]
        : [
            ...(isComplete(stack) ? [] : [stack.StackStatusReason ?? "the last operation failed"]),
            ...(await protectionProblems(target, stackName, stack)),
            ...(stackName === names.cluster ? await groupProblems(target, cluster) : []),
            ...(stackName === names.state ? await roleProblems(target) : []),
          ];
    statuses.push({ stackName, state: stack?.StackStatus ?? "missing", problems });
  }
  return statuses;
}

async function protectionProblems(target: Target, stackName: string, stack: Stack): Promise<string[]> {
  const problems: string[] = [];
  if (stack.EnableTerminationProtection !== true) problems.push("termination protection is off");
  const template = await currentTemplate(target, stackName);
  const ids = template === undefined ? [] : protectedResources(template);
  if (ids.length === 0) return problems;
  const { StackPolicyBody = "" } = await target
    .client(CloudFormationClient)
    .send(new GetStackPolicyCommand({ StackName: stackName }));
  if (StackPolicyBody !== stackPolicy(ids)) problems.push("the stack policy does not protect every resource");
  return problems;
}

async function roleProblems(target: Target): Promise<string[]> {
  return (await missingServiceLinkedRoles(target)).map(
    (service) => `the account has no service-linked role for ${service}`,
  );
}
