import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from "@aws-sdk/client-auto-scaling";
import { DescribeSubnetsCommand, EC2Client } from "@aws-sdk/client-ec2";
import type { Target } from "../target/target.ts";

/** The subnets of a cluster's group by the name of the zone. */
export async function nodeSubnets(target: Target, cluster: string): Promise<ReadonlyMap<string, string>> {
  const { AutoScalingGroups = [] } = await target
    .client(AutoScalingClient)
    .send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [cluster] }));
  const SubnetIds = (AutoScalingGroups[0]?.VPCZoneIdentifier ?? "").split(",");
  const { Subnets = [] } = await target.client(EC2Client).send(new DescribeSubnetsCommand({ SubnetIds }));
  return new Map(Subnets.map(({ AvailabilityZone = "", SubnetId = "" }) => [AvailabilityZone, SubnetId]));
}
