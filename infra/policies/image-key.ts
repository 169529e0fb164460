import { policy, type Policy, type Statement } from "./statements.ts";

type KeyStatement = Statement & {
  readonly Principal: "*" | Readonly<Record<string, string | readonly string[]>>;
};

const useKey = [
  "kms:DescribeKey",
  "kms:Decrypt",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncrypt*",
] as const;
const autoScalingRole = (accountId: string) =>
  `arn:aws:iam::${accountId}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`;

export type KeyUsers = {
  /** The account that owns the key and the images. */
  readonly accountId: string;
  readonly consumers: readonly string[];
  /** Organization ids, such as `o-abc`. */
  readonly organizations: readonly string[];
  // Organizational units, as patterns of aws:PrincipalOrgPaths, such as o-abc/*/ou-def/*.
  readonly organizationalUnits: readonly string[];
};

/**
 * The policy of a key that encrypts published images. In the owner's account, IAM decides, and Auto Scaling's service-linked
 * role is named: IAM gives it no permission on a customer managed key. In another account, `aws kms create-grant` gives the
 * permission to that account's service-linked role, so consumers may create grants.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
 */
export function imageKeyPolicy(users: KeyUsers): Policy {
  const { accountId, consumers, organizations, organizationalUnits } = users;
  const statements: KeyStatement[] = [
    {
      Sid: "Owner",
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: "kms:*",
      Resource: "*",
    },
    {
      Sid: "AutoScaling",
      Effect: "Allow",
      Principal: { AWS: autoScalingRole(accountId) },
      Action: useKey,
      Resource: "*",
    },
    {
      Sid: "AutoScalingGrants",
      Effect: "Allow",
      Principal: { AWS: autoScalingRole(accountId) },
      Action: "kms:CreateGrant",
      Resource: "*",
      Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
    },
    ...(consumers.length === 0
      ? []
      : [
          {
            Sid: "Consumers",
            Effect: "Allow" as const,
            Principal: { AWS: consumers.map((account) => `arn:aws:iam::${account}:root`) },
            Action: [...useKey, "kms:CreateGrant"],
            Resource: "*",
          },
        ]),
    ...(organizations.length === 0
      ? []
      : [
          {
            Sid: "Organizations",
            Effect: "Allow" as const,
            Principal: "*" as const,
            Action: [...useKey, "kms:CreateGrant"],
            Resource: "*",
            Condition: { StringEquals: { "aws:PrincipalOrgID": organizations } },
          },
        ]),
    ...(organizationalUnits.length === 0
      ? []
      : [
          {
            Sid: "OrganizationalUnits",
            Effect: "Allow" as const,
            Principal: "*" as const,
            Action: [...useKey, "kms:CreateGrant"],
            Resource: "*",
            Condition: { "ForAnyValue:StringLike": { "aws:PrincipalOrgPaths": organizationalUnits } },
          },
        ]),
  ];
  return policy(...statements);
}
