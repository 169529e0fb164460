import { tags } from "../../bootstrap/contract/tags.ts";
import { policy, type Policy } from "./statements.ts";

/** What the policies of releases permit: the names in a release document. */
export type ReleaseNames = {
  readonly accountId: string;
  readonly regions: readonly string[];
  readonly kmsKeyArns: readonly string[];
  readonly parameterPrefix: string;
  readonly bucket: string;
  readonly objectPrefix: string;
  /** The roles of the instance profiles of image tests. */
  readonly testRoleArns: readonly string[];
};

const ofBake = { Null: { [`aws:ResourceTag/${tags.bakeId}`]: "false" } };

/**
 * The permissions for every `release` verb, in the account that owns the published images. Only images, snapshots and
 * instances of bakes can be changed, and only in the regions of the release document.
 */
export function publisherPolicy(names: ReleaseNames): Policy {
  const inRegions = { StringEquals: { "aws:RequestedRegion": names.regions } };
  const parameter = `arn:aws:ssm:*:${names.accountId}:parameter${names.parameterPrefix}/*`;
  return policy(
    {
      Sid: "Describe",
      Effect: "Allow",
      Action: [
        "ec2:DescribeImages",
        "ec2:DescribeImageAttribute",
        "ec2:DescribeSnapshots",
        "ec2:DescribeSnapshotAttribute",
        "ec2:DescribeSubnets",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeImageUsageReports",
        "ec2:DescribeImageUsageReportEntries",
        "ec2:GetConsoleOutput",
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeLaunchConfigurations",
      ],
      Resource: "*",
      Condition: inRegions,
    },
    {
      Sid: "CopyAndTest",
      Effect: "Allow",
      Action: ["ec2:CopyImage", "ec2:CreateImageUsageReport", "ec2:RunInstances"],
      Resource: "*",
      Condition: inRegions,
    },
    {
      Sid: "TagAtCreation",
      Effect: "Allow",
      Action: "ec2:CreateTags",
      Resource: "*",
      Condition: { StringEquals: { "ec2:CreateAction": ["CopyImage", "RunInstances"] } },
    },
    {
      Sid: "ChangeResourcesOfBakes",
      Effect: "Allow",
      Action: [
        "ec2:CreateTags",
        "ec2:DeleteSnapshot",
        "ec2:DeregisterImage",
        "ec2:DisableImage",
        "ec2:DisableImageDeregistrationProtection",
        "ec2:EnableImageDeprecation",
        "ec2:EnableImageDeregistrationProtection",
        "ec2:ModifyImageAttribute",
        "ec2:ModifySnapshotAttribute",
        "ec2:TerminateInstances",
      ],
      Resource: "*",
      Condition: { ...ofBake, ...inRegions },
    },
    {
      Sid: "Parameters",
      Effect: "Allow",
      Action: ["ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameters"],
      Resource: parameter,
      Condition: inRegions,
    },
    {
      Sid: "Documents",
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:PutObject"],
      Resource: `arn:aws:s3:::${names.bucket}/${names.objectPrefix}*`,
    },
    {
      Sid: "Bucket",
      Effect: "Allow",
      Action: ["s3:ListBucket", "s3:GetBucketVersioning"],
      Resource: `arn:aws:s3:::${names.bucket}`,
    },
    {
      Sid: "ImageKeys",
      Effect: "Allow",
      Action: [
        "kms:DescribeKey",
        "kms:GetKeyPolicy",
        "kms:Decrypt",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncrypt*",
      ],
      Resource: names.kmsKeyArns,
    },
    {
      Sid: "ImageKeyGrants",
      Effect: "Allow",
      Action: "kms:CreateGrant",
      Resource: names.kmsKeyArns,
      Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
    },
    ...(names.testRoleArns.length === 0
      ? []
      : [
          {
            Sid: "PassTestRole",
            Effect: "Allow" as const,
            Action: "iam:PassRole",
            Resource: names.testRoleArns,
            Condition: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
          },
        ]),
  );
}
