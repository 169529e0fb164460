import { tags } from "../../bootstrap/contract/tags.ts";
import {
  decryptSecrets,
  onRecord,
  onRequests,
  policy,
  readSecrets,
  useVolumeKey,
  type Cluster,
  type Policy,
} from "./statements.ts";

/** The permissions that an instance of a cluster needs. */
export function instancePolicy(cluster: Cluster): Policy {
  const ofCluster = { [`aws:ResourceTag/${tags.cluster}`]: cluster.name };
  const forCluster = { [`aws:RequestTag/${tags.cluster}`]: cluster.name };
  return policy(
    readSecrets(cluster.secrets),
    onRecord(cluster, "GetItem", "PutItem", "UpdateItem", "Query"),
    onRequests(cluster, "GetItem", "UpdateItem"),
    ...(cluster.targetGroupArns.length === 0
      ? []
      : [
          {
            Sid: "TargetGroups",
            Effect: "Allow",
            Action: ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
            Resource: cluster.targetGroupArns,
          } as const,
        ]),
    {
      Effect: "Allow",
      Action: [
        "ec2:DescribeVolumes",
        "ec2:DescribeVolumesModifications",
        "ec2:DescribeSnapshots",
        "ec2:DescribeInstances",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:DescribeLifecycleHooks",
      ],
      Resource: "*",
    },
    {
      Sid: "AutoScaling",
      Effect: "Allow",
      Action: [
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:RecordLifecycleActionHeartbeat",
        "autoscaling:SetInstanceHealth",
        "autoscaling:SetInstanceProtection",
      ],
      Resource: "*",
      Condition: { StringEquals: ofCluster },
    },
    ...(cluster.secretKeys === undefined ? [] : [decryptSecrets(cluster.secretKeys)]),
    ...(cluster.volumeKey === undefined ? [] : useVolumeKey(cluster.volumeKey)),
    {
      Effect: "Allow",
      Action: "ec2:CreateVolume",
      Resource: "arn:aws:ec2:*:*:volume/*",
      Condition: { StringEquals: forCluster },
    },
    // EC2 also checks the permission on the snapshot that a volume is created from.
    { Effect: "Allow", Action: "ec2:CreateVolume", Resource: "arn:aws:ec2:*::snapshot/*" },
    {
      Effect: "Allow",
      Action: "ec2:CreateTags",
      Resource: "arn:aws:ec2:*:*:volume/*",
      // Only when a volume is created: otherwise an instance could tag any volume, and then attach that volume.
      Condition: { StringEquals: { ...forCluster, "ec2:CreateAction": "CreateVolume" } },
    },
    {
      Sid: "MarkBrokenVolume",
      Effect: "Allow",
      Action: "ec2:CreateTags",
      Resource: "arn:aws:ec2:*:*:volume/*",
      Condition: { StringEquals: ofCluster, "ForAllValues:StringEquals": { "aws:TagKeys": [tags.broken] } },
    },
    {
      Effect: "Allow",
      Action: ["ec2:AttachVolume", "ec2:ModifyVolume"],
      Resource: "arn:aws:ec2:*:*:volume/*",
      Condition: { StringEquals: ofCluster },
    },
    {
      Effect: "Allow",
      Action: "ec2:AttachVolume",
      Resource: "arn:aws:ec2:*:*:instance/*",
      Condition: { StringEquals: ofCluster },
    },
  );
}
