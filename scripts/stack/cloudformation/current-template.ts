import { CloudFormationClient, GetTemplateCommand } from "@aws-sdk/client-cloudformation";
import type { Template } from "../../../infra/synthesize.ts";
import type { Target } from "../../target/target.ts";
import { describeStack } from "./stacks.ts";

/** The template that a stack was last deployed with; undefined when the stack has no resources. */
export async function currentTemplate(target: Target, stackName: string): Promise<Template | undefined> {
  const stack = await describeStack(target, stackName);
  if (stack === undefined || /^(REVIEW_IN_PROGRESS|ROLLBACK_COMPLETE)$/.test(stack.StackStatus ?? ""))
    return undefined;
  const { TemplateBody = "{}" } = await target
    .client(CloudFormationClient)
    .send(new GetTemplateCommand({ StackName: stackName }));
  return JSON.parse(TemplateBody) as Template;
}
