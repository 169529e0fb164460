import type { ResourceChange } from "@aws-sdk/client-cloudformation";
import type { Template } from "../../infra/synthesize.ts";

/** The logical ids of the resources that a template retains: what holds money or state. */
export const protectedResources = ({ Resources }: Pick<Template, "Resources">): string[] =>
  Object.entries(Resources)
    .filter(([, { DeletionPolicy }]) => DeletionPolicy?.startsWith("Retain"))
    .map(([logicalId]) => logicalId);

/**
 * The changes that would remove a protected resource or replace it with an empty one. A replacement that CloudFormation calls
 * conditional counts.
 * @param ids the protected resources of the template before and after the change
 */
export const endangered = (changes: readonly ResourceChange[], ids: readonly string[]): ResourceChange[] =>
  changes.filter(
    ({ Action, Replacement, LogicalResourceId = "" }) =>
      ids.includes(LogicalResourceId) &&
      Action !== "Add" &&
      Action !== "Import" &&
      !(Action === "Modify" && (Replacement ?? "False") === "False"),
  );

/**
 * The policy of a stack: no update replaces or deletes its protected resources.
 * @param allowed resources that the operator has named
 */
export function stackPolicy(ids: readonly string[], allowed: readonly string[] = []): string {
  const denied = ids.filter((id) => !allowed.includes(id)).map((id) => `LogicalResourceId/${id}`);
  return JSON.stringify({
    Statement: [
      { Effect: "Allow", Action: "Update:*", Principal: "*", Resource: "*" },
      ...(denied.length === 0
        ? []
        : [
            { Effect: "Deny", Action: ["Update:Replace", "Update:Delete"], Principal: "*", Resource: denied },
          ]),
    ],
  });
}
