import { z } from "zod";
import type { Release } from "./schema.ts";

const OneOrMore = z.union([z.string().transform((text) => [text]), z.array(z.string())]);
const KeyPolicy = z.object({
  Statement: z.array(
    z.object({
      Effect: z.string(),
      Action: OneOrMore.optional(),
      Principal: z.union([z.literal("*"), z.record(z.string(), OneOrMore)]).optional(),
      Condition: z.record(z.string(), z.record(z.string(), OneOrMore)).optional(),
    }),
  ),
});

/** An instance of another account needs a grant on the key of its image. */
const grants = ["kms:CreateGrant", "kms:*", "*"];

/**
 * The principals of a release whose instances the policy of a key does not permit to use the key. A statement that allows
 * kms:CreateGrant names an account as a principal, and an organization or an organizational unit in a condition.
 * @param text the policy in JSON
 */
export function notPermitted(
  text: string,
  { accounts, organizations, organizationalUnits }: Release["principals"],
): string[] {
  const allowing = KeyPolicy.parse(JSON.parse(text)).Statement.filter(
    ({ Effect, Action = [] }) => Effect === "Allow" && Action.some((action) => grants.includes(action)),
  );
  const principals = allowing.flatMap(({ Principal = {} }) =>
    Principal === "*" ? [] : Object.values(Principal).flat(),
  );
  const conditions = allowing.flatMap(({ Condition = {} }) =>
    Object.values(Condition).flatMap((operator) => Object.values(operator).flat()),
  );
  return [
    ...accounts.filter(
      (account) => !principals.some((one) => one === account || one.includes(`::${account}:`)),
    ),
    ...organizations.filter((arn) => !conditions.includes(idOf(arn))),
    ...organizationalUnits.filter((arn) => {
      const [, organization = "", unit = ""] = arn.split("/");
      return !conditions.includes(organization) && !conditions.some((path) => path.split("/").includes(unit));
    }),
  ];
}

/** `o-abc` of `arn:aws:organizations::123456789012:organization/o-abc`. */
const idOf = (arn: string): string => arn.split("/").at(-1) ?? "";
