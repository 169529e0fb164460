import type { ResourceChange } from "@aws-sdk/client-cloudformation";
import type { ChangeSet } from "./change-set.ts";

/** A change set as text, one line for each resource. */
export function describeChanges({ stackName, kind, changes }: ChangeSet): string {
  const title = `${stackName}: ${kind === "CREATE" ? "new" : "changes"}`;
  if (changes.length === 0) return `${title}, outputs only`;
  return [title, ...changes.map((change) => `  ${describeChange(change)}`)].join("\n");
}

function describeChange(change: ResourceChange): string {
  const { LogicalResourceId, ResourceType, PhysicalResourceId, Details = [] } = change;
  const names = [...new Set(Details.map(({ Target }) => Target?.Name ?? Target?.Attribute ?? ""))];
  return [
    `${verbOf(change)} ${LogicalResourceId} (${ResourceType}`,
    PhysicalResourceId === undefined ? ")" : ` ${PhysicalResourceId})`,
    names.length === 0 ? "" : `: ${names.join(", ")}`,
  ].join("");
}

function verbOf({ Action, Replacement, PolicyAction }: ResourceChange): string {
  if (Action === "Add") return "+ create ";
  if (Action === "Remove") return PolicyAction === "Retain" ? "- keep   " : "- delete ";
  if (Replacement === "True") return "! replace";
  return Replacement === "Conditional" ? "? change or replace" : "~ change ";
}
