import { z } from "zod";
import { matchesAction } from "../../../infra/policies/wildcards.ts";
import type { Release } from "./schema.ts";

const oneOrMore = <T extends z.ZodType>(one: T) => z.union([z.array(one), one.transform((value) => [value])]);
const Value = z.union([z.string(), z.boolean(), z.number()]).transform(String);
const Statement = z.object({
  Effect: z.string(),
  Action: oneOrMore(z.string()).optional(),
  Principal: z.union([z.literal("*"), z.record(z.string(), oneOrMore(z.string()))]).optional(),
  Condition: z.record(z.string(), z.record(z.string(), oneOrMore(Value))).optional(),
});
const KeyPolicy = z.object({ Statement: oneOrMore(Statement) });

/** An instance of another account needs a grant on the key of its image. */
const grant = "kms:CreateGrant";

/**
 * The principals of a release for which the policy of a key has no statement that allows kms:CreateGrant. Such a statement names an
 * account as a principal or in a condition, and an organization or an organizational unit in a condition.
 * @param text the policy in JSON
 */
export function notPermitted(
  text: string,
  { accounts, organizations, organizationalUnits }: Release["principals"],
): string[] {
  const allowing = KeyPolicy.parse(JSON.parse(text)).Statement.filter(
    ({ Effect, Action = [] }) =>
      Effect === "Allow" && Action.some((pattern) => matchesAction(pattern, grant)),
  );
  const principals = allowing.flatMap(({ Principal = {} }) =>
    Principal === "*" ? [] : Object.values(Principal).flat(),
  );
  const conditions = allowing.flatMap(({ Condition = {} }) =>
    Object.entries(Condition).flatMap(([operator, keys]) =>
      operator.includes("Not") ? [] : Object.values(keys).flat(),
    ),
  );
  return [
    ...accounts.filter(
      (account) =>
        !conditions.includes(account) &&
        !principals.some((one) => one === account || one.includes(`::${account}:`)),
    ),
    ...organizations.filter((arn) => !conditions.includes(arn.split("/").at(-1) ?? "")),
    ...organizationalUnits.filter((arn) => {
      const [, organization = "", unit = ""] = arn.split("/");
      return !conditions.includes(organization) && !conditions.some((path) => path.split("/").includes(unit));
    }),
  ];
}
