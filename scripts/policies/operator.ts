import { clusterTag } from "../../bootstrap/aws/tags.ts";
import { replaceTag } from "../nodes/group.ts";
import { onRecord, onRequests, policy, type Cluster, type Policy } from "./statements.ts";

/**
 * What an operator needs for `launch`, `status`, `switchover`, `replace`, `logs`, `terminate` and the set-up of one cluster; no statement
 * reads a secret. Whoever may launch an instance with a role can run commands with it: who may pass the set-up's role
 * is as close to the secrets as that role.
 * @param roles the ARNs of the roles of node and set-up
 */
export function operatorPolicy(cluster: Cluster, roles: readonly string[]): Policy {
  const ours = { [`aws:ResourceTag/${clusterTag}`]: cluster.name };
  return policy(
    {
      Sid: "Look",
      Effect: "Allow",
      Action: [
        "ec2:DescribeInstances",
        "ec2:DescribeImages",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:GetConsoleOutput",
        "autoscaling:DescribeAutoScalingGroups",
        "rds:DescribeDBInstances",
        "rds:DescribeDBSnapshots",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
      ],
      Resource: "*",
    },
    onRecord(cluster, "GetItem", "Query"),
    onRequests(cluster, "GetItem", "PutItem"),
    {
      Sid: "Launch",
      Effect: "Allow",
      Action: ["ec2:RunInstances", "ec2:CreateLaunchTemplateVersion"],
      Resource: "*",
    },
    {
      Sid: "TagAtLaunch",
      Effect: "Allow",
      Action: "ec2:CreateTags",
      Resource: "*",
      Condition: { StringEquals: { "ec2:CreateAction": "RunInstances" } },
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
      Action: ["autoscaling:UpdateAutoScalingGroup", "autoscaling:TerminateInstanceInAutoScalingGroup"],
      Resource: "*",
      Condition: { StringEquals: ours },
    },
    {
      Sid: "RememberReplace",
      Effect: "Allow",
      Action: "autoscaling:CreateOrUpdateTags",
      Resource: "*",
      // Other tags say whose the group is.
      Condition: { StringEquals: ours, "ForAllValues:StringEquals": { "aws:TagKeys": [replaceTag] } },
    },
    {
      Sid: "End",
      Effect: "Allow",
      Action: "ec2:TerminateInstances",
      Resource: "*",
      Condition: { StringEquals: ours },
    },
    {
      Sid: "EndSetUp",
      Effect: "Allow",
      Action: "ec2:TerminateInstances",
      Resource: "*",
      Condition: { StringEquals: { "aws:ResourceTag/eclair-ami:setup": cluster.name } },
    },
  );
}
