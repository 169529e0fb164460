import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  type TargetDescription,
  type TargetGroup as Group,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { LabPaths } from "../paths.ts";
import { serverPath, type LoadBalancer, type TargetGroup } from "../nlb/configuration.ts";
import { applyLoadBalancers, serverStates, type TargetState } from "../nlb/haproxy.ts";
import { assignAddress } from "../host/service-addresses.ts";
import type { MotoCache } from "./moto-cache.ts";
import { motoElb } from "./moto.ts";
import type { Instances } from "./instances.ts";

/** Configures HAProxy for the load balancers, listeners and target groups in moto. */
export class LoadBalancers {
  private readonly lab: LabPaths;
  private readonly instances: Instances;
  /** The addresses of the load balancers by host name. */
  readonly names = new Map<string, string>();

  private readonly groupOf: (arn: string) => Promise<Group | undefined>;
  private readonly targetsOf: (arn: string) => Promise<TargetDescription[]>;

  constructor(instances: Instances, cache: MotoCache) {
    this.lab = instances.lab;
    this.instances = instances;
    this.groupOf = cache.cachedByKey(readGroup);
    this.targetsOf = cache.cachedByKey(readTargets);
  }

  async reconcile(): Promise<void> {
    const { LoadBalancers: described } = await motoElb.send(new DescribeLoadBalancersCommand({}));
    const { TargetGroups: groups } = await motoElb.send(new DescribeTargetGroupsCommand({}));
    const balancers: LoadBalancer[] = [];
    this.names.clear();
    for (const balancer of described ?? []) {
      if (balancer.Type !== "network") continue;
      const name = balancer.LoadBalancerName ?? "";
      const address = await assignAddress(this.lab, "nlb", name);
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

  /** The state of each target of a group, by HAProxy's health checks. */
  async health(groupArn: string): Promise<{ target: TargetDescription; state: TargetState }[]> {
    const group = await this.groupOf(groupArn);
    if (group === undefined) return [];
    const description = await this.describe(group);
    const states = await serverStates();
    return (await this.targetsOf(groupArn)).map((target) => {
      const known = description.targets.find(({ id, port }) => id === target.Id && port === target.Port);
      const state = known && states.get(serverPath(description, known));
      return { target, state: state ?? "unused" };
    });
  }

  private async describe(group: Group): Promise<TargetGroup> {
    const targets = (await this.targetsOf(group.TargetGroupArn ?? "")).flatMap((target) => {
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

async function readGroup(arn: string): Promise<Group | undefined> {
  const { TargetGroups } = await motoElb.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] }));
  return TargetGroups?.[0];
}

/** The registered targets with their ports. */
async function readTargets(groupArn: string): Promise<TargetDescription[]> {
  const { TargetHealthDescriptions } = await motoElb.send(
    new DescribeTargetHealthCommand({ TargetGroupArn: groupArn }),
  );
  return (TargetHealthDescriptions ?? []).flatMap((description) => description.Target ?? []);
}
