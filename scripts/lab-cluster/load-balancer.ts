import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  ModifyLoadBalancerAttributesCommand,
  type ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { ports } from "../../bootstrap/contract/ports.ts";
import type { LabFacts } from "../lab/facts.ts";
import { findOrCreate } from "./find-or-create.ts";

/**
 * A Network Load Balancer for the Lightning port, with a target group of the instances that lead to the active Eclair.
 * @returns the ARN of the target group
 */
export async function createLoadBalancer(
  elb: ElasticLoadBalancingV2Client,
  facts: LabFacts,
  name: string,
): Promise<string> {
  const group = await findOrCreate(
    async () => (await elb.send(new DescribeTargetGroupsCommand({ Names: [name] }))).TargetGroups?.[0],
    async () => {
      const { TargetGroups } = await elb.send(
        new CreateTargetGroupCommand({
          Name: name,
          Protocol: "TCP",
          Port: ports.lightning,
          VpcId: facts.network?.vpcId,
          TargetType: "instance",
          HealthCheckProtocol: "HTTP",
          HealthCheckPort: String(ports.health),
          HealthCheckPath: "/serving",
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
  const balancer = await findOrCreate(
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
  // The address of a zone then leads to the node also while the zone has no host.
  await elb.send(
    new ModifyLoadBalancerAttributesCommand({
      LoadBalancerArn,
      Attributes: [{ Key: "load_balancing.cross_zone.enabled", Value: "true" }],
    }),
  );
  await findOrCreate(
    async () => (await elb.send(new DescribeListenersCommand({ LoadBalancerArn }))).Listeners?.[0],
    async () => {
      const DefaultActions = [{ Type: "forward" as const, TargetGroupArn }];
      const { Listeners } = await elb.send(
        new CreateListenerCommand({
          LoadBalancerArn,
          Protocol: "TCP",
          Port: ports.lightning,
          DefaultActions,
        }),
      );
      return Listeners?.[0];
    },
  );
  return TargetGroupArn;
}
