import {
  DescribeLoadBalancerAttributesCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
  type TargetGroup,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Target } from "../target/target.ts";
import type { NodeStatus } from "./status.ts";

const crossZone = "load_balancing.cross_zone.enabled";

/** The target groups that instances report. */
export async function targetGroupsOf(
  target: Target,
  statuses: readonly NodeStatus[],
): Promise<TargetGroup[]> {
  const TargetGroupArns = [...new Set(statuses.flatMap(({ report }) => report?.targetGroupArns ?? []))];
  if (TargetGroupArns.length === 0) return [];
  const { TargetGroups = [] } = await target
    .client(ElasticLoadBalancingV2Client)
    .send(new DescribeTargetGroupsCommand({ TargetGroupArns }));
  return TargetGroups;
}

/**
 * What the operator must know about the load balancers of these instances. Without cross-zone load balancing, which is off by
 * default, a load balancer has no healthy target in a zone whose instance is lost, and a client that uses its address there fails.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#network-load-balancers-cross-zone
 */
export async function loadBalancerWarnings(
  target: Target,
  statuses: readonly NodeStatus[],
): Promise<string[]> {
  const elb = target.client(ElasticLoadBalancingV2Client);
  const targetGroups = await targetGroupsOf(target, statuses);
  const warnings: string[] = [];
  for (const LoadBalancerArn of new Set(
    targetGroups.flatMap(({ LoadBalancerArns = [] }) => LoadBalancerArns),
  )) {
    const { Attributes = [] } = await elb.send(
      new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn }),
    );
    if (Attributes.find(({ Key }) => Key === crossZone)?.Value === "true") continue;
    warnings.push(
      `the load balancer ${LoadBalancerArn} does not balance across zones: its address in a zone leads nowhere while the zone has no healthy instance. Enable it with \`aws elbv2 modify-load-balancer-attributes --load-balancer-arn ${LoadBalancerArn} --attributes Key=${crossZone},Value=true\``,
    );
  }
  return warnings;
}
