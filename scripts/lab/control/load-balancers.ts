import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  type TargetDescription,
  type TargetGroup as Group,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { LabPlace } from "../place.ts";
import { serverPath, type LoadBalancer, type TargetGroup } from "../nlb/configuration.ts";
import { applyLoadBalancers, serverStates, type TargetState } from "../nlb/haproxy.ts";
import { addressOf } from "./addresses.ts";
import { motoElb } from "./aws.ts";
import type { Instances } from "./instances.ts";

/** Makes HAProxy do what moto's load balancers, listeners and target groups say. */
export class LoadBalancers {
  private readonly lab: LabPlace;
  private readonly instances: Instances;
  /** Host names of load balancers and their addresses. */
  readonly names = new Map<string, string>();

  constructor(instances: Instances) {
    this.lab = instances.lab;
    this.instances = instances;
  }

  async reconcile(): Promise<void> {
    const { LoadBalancers: found } = await motoElb.send(new DescribeLoadBalancersCommand({}));
    const { TargetGroups: groups } = await motoElb.send(new DescribeTargetGroupsCommand({}));
    const balancers: LoadBalancer[] = [];
    this.names.clear();
    for (const balancer of found ?? []) {
      if (balancer.Type !== "network") continue;
      const name = balancer.LoadBalancerName ?? "";
      const address = await addressOf(this.lab, "nlb", name);
      this.names.set(balancer.DNSName ?? "", address);
      const { Listeners } = await motoElb.send(
        new DescribeListenersCommand({ LoadBalancerArn: balancer.LoadBalancerArn }),
      );
      const listeners = [];
      for (const listener of Listeners ?? []) {
        const arn = listener.DefaultActions?.[0]?.TargetGroupArn;
        const group = groups?.find((candidate) => candidate.TargetGroupArn === arn);
        if (group !== undefined)
          listeners.push({ port: listener.Port ?? 0, group: await this.describe(group) });
      }
      balancers.push({ name, address, listeners });
    }
    await applyLoadBalancers(this.lab, balancers);
  }

  /** What HAProxy sees of the targets of a group. */
  async health(groupArn: string): Promise<{ target: TargetDescription; state: TargetState }[]> {
    const { TargetGroups } = await motoElb.send(
      new DescribeTargetGroupsCommand({ TargetGroupArns: [groupArn] }),
    );
    const [group] = TargetGroups ?? [];
    if (group === undefined) return [];
    const described = await this.describe(group);
    const states = await serverStates();
    return (await targetsOf(groupArn)).map((target) => {
      const known = described.targets.find(({ id, port }) => id === target.Id && port === target.Port);
      const state = known && states.get(serverPath(described, known));
      return { target, state: state ?? "unused" };
    });
  }

  private async describe(group: Group): Promise<TargetGroup> {
    const targets = (await targetsOf(group.TargetGroupArn ?? "")).flatMap((target) => {
      const { instance } = this.instances.managed.get(target.Id ?? "") ?? {};
      const address = instance?.PrivateIpAddress;
      if (address === undefined || instance?.State?.Name !== "running") return [];
      return [{ id: target.Id ?? "", address, port: target.Port ?? group.Port ?? 0 }];
    });
    const port = group.HealthCheckPort ?? "traffic-port";
    return {
      name: group.TargetGroupName ?? "",
      targets,
      check: {
        protocol: group.HealthCheckProtocol === "HTTP" ? "HTTP" : "TCP",
        path: group.HealthCheckPath ?? "/",
        port: port === "traffic-port" ? "" : port,
        matcher: group.Matcher?.HttpCode ?? "200-399",
        intervalSeconds: group.HealthCheckIntervalSeconds ?? 30,
        timeoutSeconds: group.HealthCheckTimeoutSeconds ?? 6,
        rise: group.HealthyThresholdCount ?? 5,
        fall: group.UnhealthyThresholdCount ?? 2,
      },
    };
  }
}

/** The targets that moto has registered, each with its port. */
async function targetsOf(groupArn: string): Promise<TargetDescription[]> {
  const { TargetHealthDescriptions } = await motoElb.send(
    new DescribeTargetHealthCommand({ TargetGroupArn: groupArn }),
  );
  return (TargetHealthDescriptions ?? []).flatMap((description) => description.Target ?? []);
}
