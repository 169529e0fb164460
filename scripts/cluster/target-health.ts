import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  TargetGroupNotFoundException,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Target } from "../target/target.ts";

/** The states that ELB reports for the targets of some target groups, by instance id. */
export async function targetHealth(
  target: Target,
  targetGroupArns: Iterable<string>,
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const arn of new Set(targetGroupArns))
    for (const { instanceId, state } of await healthIn(target, arn))
      found.set(instanceId, [...(found.get(instanceId) ?? []), state]);
  return found;
}

async function healthIn(target: Target, arn: string): Promise<{ instanceId: string; state: string }[]> {
  try {
    const { TargetHealthDescriptions = [] } = await target
      .client(ElasticLoadBalancingV2Client)
      .send(new DescribeTargetHealthCommand({ TargetGroupArn: arn }));
    return TargetHealthDescriptions.map(({ Target: described, TargetHealth }) => ({
      instanceId: described?.Id ?? "",
      state: TargetHealth?.State ?? "",
    }));
  } catch (error) {
    // An instance can report a target group that was deleted in the meantime.
    if (error instanceof TargetGroupNotFoundException) return [];
    throw error;
  }
}
