import type { Policy } from "../policies/statements.ts";

/** Why a wildcard in a policy is no fault, by the text that contains it. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/:secret:.*-\?{6}$/, "Secrets Manager appends six random characters to the name of a secret"],
  [/:dynamodb:.*:table\/[^*]+$/, "a condition limits the statement to the items of the cluster"],
  [/:ec2:.*:(volume|instance)\/\*$/, "a condition limits the statement to the tag of the cluster"],
  [
    /:ec2:\*::snapshot\/\*$/,
    "EC2 checks the snapshot that a volume is created from; only tagged snapshots are changed",
  ],
  [/^\*$/, "the actions have no resources, or a condition limits them to the tag of the cluster"],
  [/^kms:ReEncrypt\*$/, "the two actions of one re-encryption"],
];

/**
 * The findings of cdk-nag about the wildcards of a policy, each with the reason for it. A wildcard of a new kind has no reason
 * here, and remains a finding.
 */
export function wildcardFindings({ Statement }: Policy): (readonly [string, string])[] {
  return Statement.flatMap(({ Action, Resource }) => [
    ...[Action].flat().map((text) => ["Action", text] as const),
    ...[Resource].flat().map((text) => ["Resource", text] as const),
  ]).flatMap(([part, text]) => {
    const reason = reasons.find(([pattern]) => pattern.test(text))?.[1];
    if (reason === undefined) return [];
    const shown = text.replace(/^arn:aws:/, "arn:<AWS::Partition>:");
    return [[`IAM5[${part}::${shown}]`, reason] as const];
  });
}
