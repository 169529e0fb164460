import {
  ElasticLoadBalancingV2Client,
  ModifyTargetGroupCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Target } from "../../target/target.ts";
import type { NodeStatus } from "../status.ts";
import { targetGroupsOf } from "../load-balancing.ts";

/** `/serving` is for instances with a door. Without a door, only the active instance may receive connections: `/active`. */
export type HealthCheckPath = "/serving" | "/active";

/** The path that suits every instance: an instance without a door refuses connections while it is not active. */
export const suitablePath = (statuses: readonly NodeStatus[]): HealthCheckPath =>
  statuses.every(({ report }) => report?.door !== undefined) ? "/serving" : "/active";

/**
 * Sets the path of the health checks of the instances' target groups. A target group with a path of the operator's own stays
 * unchanged.
 * @returns the ARNs of the target groups that were changed
 */
export async function setHealthCheckPath(
  target: Target,
  statuses: readonly NodeStatus[],
  path: HealthCheckPath,
): Promise<string[]> {
  const elb = target.client(ElasticLoadBalancingV2Client);
  const targetGroups = await targetGroupsOf(target, statuses);
  const other = path === "/serving" ? "/active" : "/serving";
  const changed = targetGroups.flatMap(({ TargetGroupArn, HealthCheckPath }) =>
    TargetGroupArn !== undefined && HealthCheckPath === other ? [TargetGroupArn] : [],
  );
  for (const TargetGroupArn of changed)
    await elb.send(new ModifyTargetGroupCommand({ TargetGroupArn, HealthCheckPath: path }));
  return changed;
}
