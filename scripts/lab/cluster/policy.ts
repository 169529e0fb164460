import { clusterTag } from "../../../bootstrap/aws/tags.ts";

/** The least that an instance of a cluster must be allowed to do, as an IAM policy document. */
export function nodePolicy(about: {
  readonly cluster: string;
  readonly secrets: readonly string[];
  readonly targetGroups: readonly string[];
}) {
  const ofCluster = { [`aws:ResourceTag/${clusterTag}`]: about.cluster };
  const forCluster = { [`aws:RequestTag/${clusterTag}`]: about.cluster };
  return {
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: about.secrets },
      {
        Effect: "Allow",
        Action: ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
        Resource: about.targetGroups,
      },
      { Effect: "Allow", Action: ["ec2:DescribeVolumes", "ec2:DescribeInstances"], Resource: "*" },
      {
        Effect: "Allow",
        Action: "ec2:CreateVolume",
        Resource: "arn:aws:ec2:*:*:volume/*",
        Condition: { StringEquals: forCluster },
      },
      // The snapshot that a volume starts from is asked about as well.
      { Effect: "Allow", Action: "ec2:CreateVolume", Resource: "arn:aws:ec2:*::snapshot/*" },
      {
        Effect: "Allow",
        Action: "ec2:CreateTags",
        Resource: "arn:aws:ec2:*:*:volume/*",
        // On a volume as it is made: else an instance could call any volume its cluster's, and attach it.
        Condition: { StringEquals: { ...forCluster, "ec2:CreateAction": "CreateVolume" } },
      },
      {
        Effect: "Allow",
        Action: "ec2:AttachVolume",
        Resource: "arn:aws:ec2:*:*:volume/*",
        Condition: { StringEquals: ofCluster },
      },
      {
        Effect: "Allow",
        Action: "ec2:AttachVolume",
        Resource: "arn:aws:ec2:*:*:instance/*",
        Condition: { StringEquals: ofCluster },
      },
    ],
  };
}
