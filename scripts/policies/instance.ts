import { clusterTag } from "../../bootstrap/aws/tags.ts";
import { onRecord, onRequests, policy, readSecrets, type Cluster, type Policy } from "./statements.ts";

/** The least that an instance of a cluster must be allowed to do. */
export function instancePolicy(cluster: Cluster): Policy {
  const ofCluster = { [`aws:ResourceTag/${clusterTag}`]: cluster.name };
  const forCluster = { [`aws:RequestTag/${clusterTag}`]: cluster.name };
  return policy(
    readSecrets(cluster.secrets),
    onRecord(cluster, "GetItem", "PutItem", "UpdateItem"),
    onRequests(cluster, "GetItem", "UpdateItem"),
    ...(cluster.targetGroups.length === 0
      ? []
      : [
          {
            Sid: "TargetGroups",
            Effect: "Allow",
            Action: ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
            Resource: cluster.targetGroups,
          } as const,
        ]),
    {
      Effect: "Allow",
      Action: ["ec2:DescribeVolumes", "ec2:DescribeInstances", "autoscaling:DescribeAutoScalingInstances"],
      Resource: "*",
    },
    {
      Sid: "AutoScaling",
      Effect: "Allow",
      Action: [
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:RecordLifecycleActionHeartbeat",
        "autoscaling:SetInstanceHealth",
      ],
      Resource: "*",
      Condition: { StringEquals: ofCluster },
    },
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
  );
}
