import {
  AutoScalingClient,
  DescribeAutoScalingGroupsCommand,
  type AutoScalingGroup,
} from "@aws-sdk/client-auto-scaling";
import type { Target } from "../../target/target.ts";

/** An Auto Scaling group by its name; undefined when it does not exist. */
export async function describeGroup(target: Target, name: string): Promise<AutoScalingGroup | undefined> {
  const { AutoScalingGroups = [] } = await target
    .client(AutoScalingClient)
    .send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }));
  return AutoScalingGroups[0];
}
