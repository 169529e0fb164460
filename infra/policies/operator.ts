import { tags } from "../../bootstrap/contract/tags.ts";
import {
  onRecord,
  onRequests,
  policy,
  secretArn,
  useVolumeKey,
  type Cluster,
  type Policy,
} from "./statements.ts";

/**
 * The permissions for `launch`, `status`, `budget`, `switchover`, `replace`, `rotate`, `logs`, `terminate` and the cluster setup of one
 * cluster. No statement reads a secret. A person who can launch an instance with a role can use that role: a person who
 * can pass the role of the cluster setup can read the secrets.
 * @param roles the ARNs of the roles of the node and of the cluster setup
 * @param logins the names or the ARNs of the secrets with logins, for `rotate`
 */
export function operatorPolicy(
  cluster: Cluster,
  roles: readonly string[],
  logins: readonly string[],
): Policy {
  const ours = { [`aws:ResourceTag/${tags.cluster}`]: cluster.name };
  return policy(
    {
      Sid: "Describe",
      Effect: "Allow",
      Action: [
        "ec2:DescribeInstances",
        "ec2:DescribeInstanceAttribute",
        "ec2:DescribeVolumes",
        "ec2:DescribeSnapshots",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:GetConsoleOutput",
        "autoscaling:DescribeAutoScalingGroups",
        "cloudformation:DescribeStacks",
        "rds:DescribeDBClusters",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeDBInstances",
        "rds:DescribeDBSnapshots",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
      ],
      Resource: "*",
    },
    {
      Sid: "RotateLogin",
      Effect: "Allow",
      Action: ["secretsmanager:DescribeSecret", "secretsmanager:UpdateSecretVersionStage"],
      Resource: logins.map(secretArn),
    },
    onRecord(cluster, "GetItem", "Query"),
    onRequests(cluster, "GetItem", "PutItem", "UpdateItem"),
    {
      Sid: "Launch",
      Effect: "Allow",
      Action: ["ec2:RunInstances", "ec2:CreateLaunchTemplateVersion"],
      Resource: "*",
    },
    // The caller of RunInstances needs the key of the volumes.
    ...(cluster.volumeKey === undefined ? [] : useVolumeKey(cluster.volumeKey)),
    {
      Sid: "TagAtLaunch",
      Effect: "Allow",
      Action: "ec2:CreateTags",
      Resource: "*",
      Condition: { StringEquals: { "ec2:CreateAction": "RunInstances" } },
    },
    {
      Sid: "ChainSnapshotVolume",
      Effect: "Allow",
      Action: "ec2:CreateSnapshot",
      Resource: "arn:aws:ec2:*:*:volume/*",
      Condition: { StringEquals: ours },
    },
    {
      Sid: "ChainSnapshot",
      Effect: "Allow",
      Action: "ec2:CreateSnapshot",
      Resource: "arn:aws:ec2:*::snapshot/*",
      Condition: { StringEquals: { [`aws:RequestTag/${tags.cluster}`]: cluster.name } },
    },
    {
      Sid: "CopyChainSnapshot",
      Effect: "Allow",
      Action: "ec2:CopySnapshot",
      Resource: "arn:aws:ec2:*::snapshot/*",
    },
    {
      Sid: "TagChainSnapshot",
      Effect: "Allow",
      Action: "ec2:CreateTags",
      Resource: "arn:aws:ec2:*::snapshot/*",
      Condition: { StringEquals: { "ec2:CreateAction": ["CreateSnapshot", "CopySnapshot"] } },
    },
    {
      Sid: "MarkVerifiedSnapshot",
      Effect: "Allow",
      Action: "ec2:CreateTags",
      Resource: "arn:aws:ec2:*::snapshot/*",
      Condition: { StringEquals: ours, "ForAllValues:StringEquals": { "aws:TagKeys": [tags.verified] } },
    },
    {
      Sid: "DeleteChainSnapshot",
      Effect: "Allow",
      Action: "ec2:DeleteSnapshot",
      Resource: "arn:aws:ec2:*::snapshot/*",
      Condition: { StringEquals: ours },
    },
    {
      Sid: "PassRoles",
      Effect: "Allow",
      Action: "iam:PassRole",
      Resource: roles,
      Condition: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
    },
    {
      Sid: "Replace",
      Effect: "Allow",
      Action: [
        "autoscaling:UpdateAutoScalingGroup",
        "autoscaling:TerminateInstanceInAutoScalingGroup",
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:SuspendProcesses",
      ],
      Resource: "*",
      Condition: { StringEquals: ours },
    },
    ...(cluster.targetGroupArns.length === 0
      ? []
      : [
          {
            Sid: "SetHealthCheckPath",
            Effect: "Allow" as const,
            Action: "elasticloadbalancing:ModifyTargetGroup",
            Resource: cluster.targetGroupArns,
          },
        ]),
    {
      Sid: "TagReplaceState",
      Effect: "Allow",
      Action: "autoscaling:CreateOrUpdateTags",
      Resource: "*",
      // Other tags assign the group to a cluster.
      Condition: { StringEquals: ours, "ForAllValues:StringEquals": { "aws:TagKeys": [tags.replace] } },
    },
    {
      Sid: "Terminate",
      Effect: "Allow",
      Action: "ec2:TerminateInstances",
      Resource: "*",
      Condition: { StringEquals: ours },
    },
    {
      Sid: "TerminateClusterSetup",
      Effect: "Allow",
      Action: "ec2:TerminateInstances",
      Resource: "*",
      Condition: { StringEquals: { [`aws:ResourceTag/${tags.setup}`]: cluster.name } },
    },
  );
}
