import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
  paginateListStackResources,
  type Stack,
  type StackEvent,
  type StackResourceSummary,
} from "@aws-sdk/client-cloudformation";
import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { allItems } from "../../target/pages.ts";
import type { Target } from "../../target/target.ts";

/** How long a stack may take: RDS creates a database with two zones in up to half an hour. */
const timeoutMilliseconds = 90 * 60_000;

/** Undefined when the stack does not exist. */
export async function describeStack(target: Target, stackName: string): Promise<Stack | undefined> {
  try {
    const { Stacks } = await target
      .client(CloudFormationClient)
      .send(new DescribeStacksCommand({ StackName: stackName }));
    return Stacks?.[0];
  } catch (error) {
    if (error instanceof Error && error.name === "ValidationError" && /does not exist/.test(error.message))
      return undefined;
    throw error;
  }
}

/** The outputs of a stack by their keys; undefined when the stack does not exist, or its creation is not complete. */
export async function outputsOf(
  target: Target,
  stackName: string,
): Promise<ReadonlyMap<string, string> | undefined> {
  const stack = await describeStack(target, stackName);
  if (stack === undefined || !isComplete(stack)) return undefined;
  return new Map(
    (stack.Outputs ?? []).map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue]),
  );
}

/** Whether the resources of a stack are those of a template that was applied successfully, now or before. */
export const isComplete = ({ StackStatus }: Stack): boolean =>
  StackStatus !== undefined && /^(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT)_COMPLETE$/.test(StackStatus);

export async function resourcesOf(target: Target, stackName: string): Promise<StackResourceSummary[]> {
  return await allItems(
    paginateListStackResources({ client: target.client(CloudFormationClient) }, { StackName: stackName }),
    ({ StackResourceSummaries }) => StackResourceSummaries,
  );
}

/**
 * Waits until an operation on a stack has ended.
 * @param stackId the id: a deleted stack has no name any more
 * @throws EclairAmiError `stack.failed` with the first failure, unless the stack ends in one of the expected states
 */
export async function waitForStack(
  target: Target,
  stackId: string,
  expected: readonly string[],
  operation: string,
): Promise<void> {
  const status = (await settledStack(target, stackId))?.StackStatus ?? "DELETE_COMPLETE";
  if (!expected.includes(status))
    throw await failure(target, stackId, `the stack is in the state ${status}`, operation);
}

/** A stack when no operation on it is in progress any more, or after the timeout. */
export async function settledStack(target: Target, stackNameOrId: string): Promise<Stack | undefined> {
  const deadline = performance.now() + timeoutMilliseconds;
  for (;;) {
    const stack = await describeStack(target, stackNameOrId);
    const status = stack?.StackStatus ?? "";
    const isInProgress = status.endsWith("_IN_PROGRESS") && status !== "REVIEW_IN_PROGRESS";
    if (!isInProgress || performance.now() > deadline) return stack;
    await sleep(target.name === "lab" ? 100 : 5000);
  }
}

async function failure(
  target: Target,
  stackId: string,
  state: string,
  operation: string,
): Promise<EclairAmiError> {
  const events = await allItems(
    paginateDescribeStackEvents({ client: target.client(CloudFormationClient) }, { StackName: stackId }),
    ({ StackEvents }) => StackEvents,
  );
  return new EclairAmiError({
    code: "stack.failed",
    operation,
    message: [state, ...failuresOfLastOperation(events)].join("; "),
    remedy:
      "correct the cause, and run the command again; `eclair-ami stack status` shows whether CloudFormation restored the earlier state",
  });
}

/** The failures of the last operation of a stack in the order of their time, without those that only follow from another one. */
export function failuresOfLastOperation(newestFirst: readonly StackEvent[]): string[] {
  const start = newestFirst.findIndex(
    ({ ResourceStatusReason }) => ResourceStatusReason === "User Initiated",
  );
  const events = start === -1 ? newestFirst : newestFirst.slice(0, start);
  return events
    .filter(
      ({ ResourceStatus = "", ResourceStatusReason = "" }) =>
        ResourceStatus.endsWith("_FAILED") && !/cancelled/i.test(ResourceStatusReason),
    )
    .map(
      ({ LogicalResourceId, ResourceType, ResourceStatusReason }) =>
        `${LogicalResourceId} (${ResourceType}): ${ResourceStatusReason}`,
    )
    .toReversed();
}
