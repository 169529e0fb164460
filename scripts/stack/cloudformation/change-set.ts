import {
  CloudFormationClient,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  ExecuteChangeSetCommand,
  paginateDescribeChangeSet,
  type ResourceChange,
  type Stack,
} from "@aws-sdk/client-cloudformation";
import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { NamedTemplate } from "../../../infra/synthesize.ts";
import type { Target } from "../../target/target.ts";
import { describeStack, settledStack, waitForStack } from "./stacks.ts";

/** What CloudFormation would do to one stack. */
export type ChangeSet = {
  readonly stackName: string;
  readonly stackId: string;
  readonly id: string;
  readonly kind: "CREATE" | "UPDATE";
  readonly changes: readonly ResourceChange[];
};

/** The limit of a template in a call. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const maximumTemplateBytes = 51_200;

/**
 * Creates a change set for a template.
 * @returns undefined when the stack has the resources and outputs of the template already
 */
export async function createChangeSet(
  target: Target,
  { stackName, template }: NamedTemplate,
): Promise<ChangeSet | undefined> {
  const client = target.client(CloudFormationClient);
  const kind = await prepare(target, stackName);
  const body = JSON.stringify(template);
  if (Buffer.byteLength(body) > maximumTemplateBytes)
    throw new EclairAmiError({
      code: "stack.template-too-large",
      operation: `preparing the stack ${stackName}`,
      message: `the template has ${Buffer.byteLength(body)} bytes, and CloudFormation accepts ${maximumTemplateBytes}`,
      remedy: "shorten the configuration of the node: the template contains it as user-data",
    });
  const { Id: id = "", StackId: stackId = "" } = await client
    .send(
      new CreateChangeSetCommand({
        StackName: stackName,
        ChangeSetName: `eclair-ami-${Date.now()}`,
        ChangeSetType: kind,
        TemplateBody: body,
        Capabilities: ["CAPABILITY_NAMED_IAM"],
      }),
    )
    .catch(async (error: unknown) => {
      await deleteEmptyStack(target, stackName);
      throw error;
    });
  for (;;) {
    const { status, reason, changes } = await describe(target, id);
    if (status === "CREATE_COMPLETE") return { stackName, stackId, id, kind, changes };
    if (status === "FAILED") {
      await discardChangeSet(target, { stackName, stackId, id, kind, changes });
      if (/didn't contain changes|No updates are to be performed/.test(reason)) return undefined;
      throw new EclairAmiError({
        code: "stack.failed",
        operation: `creating a change set of ${stackName}`,
        message: reason,
        remedy: "correct the cause, and run the command again; nothing was changed",
      });
    }
    await sleep(target.name === "lab" ? 50 : 2000);
  }
}

/**
 * The kind of change set that a stack needs. An operation in progress ends first: clusters share the account stack. A stack whose
 * creation failed has no resources, and is deleted first.
 */
async function prepare(target: Target, stackName: string): Promise<ChangeSet["kind"]> {
  const stack = await settledStack(target, stackName);
  if (stack === undefined || stack.StackStatus === "REVIEW_IN_PROGRESS") return "CREATE";
  if (stack.StackStatus?.endsWith("_FAILED")) throw unusable(stack);
  if (stack.StackStatus !== "ROLLBACK_COMPLETE") return "UPDATE";
  await target.client(CloudFormationClient).send(new DeleteStackCommand({ StackName: stackName }));
  await waitForStack(
    target,
    stack.StackId ?? "",
    ["DELETE_COMPLETE"],
    `deleting the failed stack ${stackName}`,
  );
  return "CREATE";
}

/** The remedies of CloudFormation for a stack that it cannot change any more. */
const remedies: Readonly<Record<string, string>> = {
  ROLLBACK_FAILED:
    "disable the deletion protection of the new, empty resources that the events of the stack name, delete the stack with `aws cloudformation delete-stack`, and run the command again",
  UPDATE_ROLLBACK_FAILED:
    "correct the cause, continue the rollback with `aws cloudformation continue-update-rollback`, and run the command again",
  DELETE_FAILED: "run `eclair-ami stack destroy` again, and then this command",
};

function unusable({ StackName, StackStatus, StackStatusReason }: Stack): EclairAmiError {
  const state = String(StackStatus);
  return new EclairAmiError({
    code: "stack.failed",
    operation: `changing the stack ${StackName}`,
    message: `the stack is in the state ${state}${StackStatusReason === undefined ? "" : `: ${StackStatusReason}`}`,
    remedy: remedies[state] ?? "read the events of the stack in CloudFormation",
  });
}

async function describe(
  target: Target,
  id: string,
): Promise<{ readonly status: string; readonly reason: string; readonly changes: ResourceChange[] }> {
  const changes: ResourceChange[] = [];
  let [status, reason] = ["", ""];
  const pages = paginateDescribeChangeSet(
    { client: target.client(CloudFormationClient) },
    { ChangeSetName: id },
  );
  for await (const { Status = "", StatusReason = "", Changes = [] } of pages) {
    [status, reason] = [Status, StatusReason];
    changes.push(...Changes.flatMap(({ ResourceChange: change }) => change ?? []));
  }
  return { status, reason, changes };
}

/** Applies a change set, and waits until its stack is complete. */
export async function executeChangeSet(
  target: Target,
  { id, stackId, stackName, kind }: ChangeSet,
): Promise<void> {
  await target.client(CloudFormationClient).send(new ExecuteChangeSetCommand({ ChangeSetName: id }));
  await waitForStack(target, stackId, [`${kind}_COMPLETE`], `deploying ${stackName}`);
}

/** Deletes a change set, and the stack without resources that a change set of a new stack creates. */
export async function discardChangeSet(target: Target, { id, stackId }: ChangeSet): Promise<void> {
  await target.client(CloudFormationClient).send(new DeleteChangeSetCommand({ ChangeSetName: id }));
  await deleteEmptyStack(target, stackId);
}

/** Deletes a stack that exists only because of its change sets. Another command can have created its resources meanwhile. */
async function deleteEmptyStack(target: Target, stackNameOrId: string): Promise<void> {
  const stack = await describeStack(target, stackNameOrId);
  if (stack?.StackStatus !== "REVIEW_IN_PROGRESS") return;
  await target.client(CloudFormationClient).send(new DeleteStackCommand({ StackName: stack.StackId }));
}
