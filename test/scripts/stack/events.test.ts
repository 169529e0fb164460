import type { StackEvent } from "@aws-sdk/client-cloudformation";
import { expect, test } from "vitest";
import { describeChanges } from "../../../scripts/stack/cloudformation/describe-changes.ts";
import { failuresOfLastOperation } from "../../../scripts/stack/cloudformation/stacks.ts";

const event = (LogicalResourceId: string, ResourceStatus: string, ResourceStatusReason?: string) =>
  ({ LogicalResourceId, ResourceType: "AWS::X::Y", ResourceStatus, ResourceStatusReason }) as StackEvent;

test("the failures are those of the last operation in their order, without cancelled resources", () => {
  const newestFirst = [
    event("stack", "UPDATE_ROLLBACK_COMPLETE"),
    event("Third", "CREATE_FAILED", "Resource creation cancelled"),
    event("Second", "UPDATE_FAILED", "quota"),
    event("First", "CREATE_FAILED", "denied"),
    event("stack", "UPDATE_IN_PROGRESS", "User Initiated"),
    event("Old", "CREATE_FAILED", "an earlier failure"),
  ];
  expect(failuresOfLastOperation(newestFirst)).toEqual([
    "First (AWS::X::Y): denied",
    "Second (AWS::X::Y): quota",
  ]);
});

test("a change set is shown with one line for each resource", () => {
  const changes = [
    { Action: "Add", LogicalResourceId: "Vpc", ResourceType: "AWS::EC2::VPC" },
    {
      ...{ Action: "Modify", LogicalResourceId: "Database", ResourceType: "AWS::RDS::DBInstance" },
      ...{ PhysicalResourceId: "demo", Replacement: "Conditional" },
      Details: [{ Target: { Attribute: "Properties", Name: "MultiAZ" } }],
    },
    {
      ...{ Action: "Remove", LogicalResourceId: "Key", ResourceType: "AWS::KMS::Key" },
      ...{ PhysicalResourceId: "1234", PolicyAction: "Retain" },
    },
  ] as const;
  const set = {
    stackName: "demo",
    stackId: "",
    id: "",
    kind: "UPDATE" as const,
    changes: structuredClone(changes),
  };
  expect(describeChanges(set as never)).toBe(`demo: changes
  + create  Vpc (AWS::EC2::VPC)
  ? change or replace Database (AWS::RDS::DBInstance demo): MultiAZ
  - keep    Key (AWS::KMS::Key 1234)`);
});
