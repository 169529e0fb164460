import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  type ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { healthPort } from "../../../bootstrap/supervise/health.ts";
import type { LabFacts } from "../facts.ts";
import { findOrMake } from "./find-or-make.ts";

export const lightningPort = 9735;

/** A Network Load Balancer in front of the Lightning port that sends traffic to the active instance. */
export async function loadBalancer(
  elb: ElasticLoadBalancingV2Client,
  facts: LabFacts,
  name: string,
): Promise<string> {
  const group = await findOrMake(
    async () => (await elb.send(new DescribeTargetGroupsCommand({ Names: [name] }))).TargetGroups?.[0],
    async () => {
      const { TargetGroups } = await elb.send(
        new CreateTargetGroupCommand({
          Name: name,
          Protocol: "TCP",
          Port: lightningPort,
          VpcId: facts.network?.vpcId,
          TargetType: "instance",
          HealthCheckProtocol: "HTTP",
          HealthCheckPort: String(healthPort),
          HealthCheckPath: "/active",
          HealthCheckIntervalSeconds: 5,
          HealthCheckTimeoutSeconds: 2,
          HealthyThresholdCount: 2,
          UnhealthyThresholdCount: 2,
        }),
      );
      return TargetGroups?.[0];
    },
  );
  const TargetGroupArn = group.TargetGroupArn ?? "";
  const balancer = await findOrMake(
    async () => (await elb.send(new DescribeLoadBalancersCommand({ Names: [name] }))).LoadBalancers?.[0],
    async () => {
      const Subnets = Object.values(facts.network?.subnetIds ?? {});
      const { LoadBalancers } = await elb.send(
        new CreateLoadBalancerCommand({ Name: name, Type: "network", Scheme: "internal", Subnets }),
      );
      return LoadBalancers?.[0];
    },
  );
  const { LoadBalancerArn } = balancer;
  await findOrMake(
    async () => (await elb.send(new DescribeListenersCommand({ LoadBalancerArn }))).Listeners?.[0],
    async () => {
      const DefaultActions = [{ Type: "forward" as const, TargetGroupArn }];
      const { Listeners } = await elb.send(
        new CreateListenerCommand({ LoadBalancerArn, Protocol: "TCP", Port: lightningPort, DefaultActions }),
      );
      return Listeners?.[0];
    },
  );
  return TargetGroupArn;
}
