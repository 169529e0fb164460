import type { ResourceChange } from "@aws-sdk/client-cloudformation";
import { expect, test } from "vitest";
import { endangered, protectedResources, stackPolicy } from "../../../scripts/stack/protection.ts";

test("the retained resources of a template are protected", () => {
  const Type = "AWS::RDS::DBInstance";
  const Resources = {
    Retained: { Type, DeletionPolicy: "Retain" },
    RetainedLater: { Type, DeletionPolicy: "RetainExceptOnCreate" },
    Deleted: { Type, DeletionPolicy: "Delete" },
    Snapshot: { Type, DeletionPolicy: "Snapshot" },
    Default: { Type },
  };
  expect(protectedResources({ Resources })).toEqual(["Retained", "RetainedLater"]);
});

test.each<[string, ResourceChange, boolean]>([
  ["is removed", { Action: "Remove" }, true],
  ["is replaced", { Action: "Modify", Replacement: "True" }, true],
  ["may be replaced", { Action: "Modify", Replacement: "Conditional" }, true],
  [
    "has a kind of replacement that is not known yet",
    { Action: "Modify", Replacement: "Maybe" as never },
    true,
  ],
  ["is changed", { Action: "Modify", Replacement: "False" }, false],
  ["is created", { Action: "Add" }, false],
])("a resource that %s", (_, change, expected) => {
  const changes = [{ LogicalResourceId: "Database", ...change }];
  expect(endangered(changes, ["Database"]).length > 0).toBe(expected);
  expect(endangered(changes, ["Other"])).toEqual([]);
});

test("the stack policy denies the loss of every resource that the operator has not named", () => {
  const denied = (policy: string) =>
    (JSON.parse(policy) as { Statement: { Effect: string; Resource: unknown }[] }).Statement.filter(
      ({ Effect }) => Effect === "Deny",
    ).map(({ Resource }) => Resource);
  expect(denied(stackPolicy(["A", "B"]))).toEqual([["LogicalResourceId/A", "LogicalResourceId/B"]]);
  expect(denied(stackPolicy(["A", "B"], ["A"]))).toEqual([["LogicalResourceId/B"]]);
  expect(denied(stackPolicy(["A"], ["A"]))).toEqual([]);
});
