import {
  DescribeListenersCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  type Listener,
  type LoadBalancer as Balancer,
  type TargetDescription,
  type TargetGroup as Group,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { LabPaths } from "../paths.ts";
import { serverPath, type LoadBalancer, type TargetGroup } from "../nlb/configuration.ts";
import { applyLoadBalancers, followHealth, serverStates, type TargetState } from "../nlb/haproxy.ts";
import { addLoopbackAddress, assignAddress } from "../host/service-addresses.ts";
import type { MotoCache } from "./moto-cache.ts";
import { motoElb } from "./moto.ts";
import type { Instances } from "./instances.ts";

/** Whether the calls of a service can change load balancers, listeners or target groups. */
export const changesLoadBalancers = (service: string): boolean =>
  service === "elasticloadbalancing" || service === "cloudformation";

/** A load balancer with its parts, as moto describes them. */
type Described = {
  readonly balancer: Balancer;
  readonly listeners: readonly Listener[];
  readonly crossZone: boolean;
};

/** Configures HAProxy for the load balancers, listeners and target groups in moto. */
export class LoadBalancers {
  private readonly lab: LabPaths;
  private readonly instances: Instances;
  private balancers: readonly (LoadBalancer & { readonly hostName: string })[] = [];

  private readonly read: () => Promise<{ readonly described: Described[]; readonly groups: Group[] }>;
  private readonly groupOf: (arn: string) => Promise<Group | undefined>;
  private readonly targetsOf: (arn: string) => Promise<TargetDescription[]>;

  /** @param caches terminated instances are deregistered, so more calls change targets than load balancers */
  constructor(instances: Instances, caches: { readonly balancers: MotoCache; readonly targets: MotoCache }) {
    this.lab = instances.lab;
    this.instances = instances;
    this.read = caches.balancers.cached(readBalancers);
    this.groupOf = caches.balancers.cachedByKey(readGroup);
    this.targetsOf = caches.targets.cachedByKey(readTargets);
  }

  async reconcile(): Promise<void> {
    const { described, groups } = await this.read();
    const balancers = [];
    for (const { balancer, listeners: found, crossZone } of described) {
      const { LoadBalancerName: name = "", DNSName: hostName = "" } = balancer;
      const nodes = [];
      for (const { ZoneName: zone = "", LoadBalancerAddresses } of balancer.AvailabilityZones ?? []) {
        const elasticIp = LoadBalancerAddresses?.[0]?.IpAddress;
        if (elasticIp !== undefined) await addLoopbackAddress(elasticIp);
        const address = elasticIp ?? (await assignAddress(this.lab, "nlb", `${name} ${zone}`));
        nodes.push({ zone, address });
      }
      const listeners = [];
      for (const { DefaultActions, Port: port = 0 } of found) {
        const arn = DefaultActions?.[0]?.TargetGroupArn;
        const group = groups.find((candidate) => candidate.TargetGroupArn === arn);
        if (group !== undefined) listeners.push({ port, group: await this.describe(group) });
      }
      balancers.push({ name, hostName, nodes, crossZone, listeners });
    }
    await applyLoadBalancers(this.lab, balancers);
    this.balancers = balancers;
  }

  /** @returns whether the healthy targets, and therefore the names, have changed */
  async followHealth(): Promise<boolean> {
    return await followHealth(this.lab);
  }

  /**
   * The addresses of the load balancers by host name. Each zone has a name, too. Without cross-zone load balancing, a zone
   * without a healthy target is not in the common name, unless no zone has one.
   * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#dns-name
   */
  async names(): Promise<Map<string, readonly string[]>> {
    const names = new Map<string, readonly string[]>();
    if (this.balancers.length === 0) return names;
    const states = await serverStates();
    for (const { hostName, nodes, crossZone, listeners } of this.balancers) {
      const healthyZones = new Set(
        listeners.flatMap(({ group }) =>
          group.targets.flatMap((target) =>
            states.get(serverPath(group, target)) === "healthy" ? [target.zone] : [],
          ),
        ),
      );
      const serving = nodes.filter(({ zone }) => crossZone || healthyZones.has(zone));
      names.set(
        hostName,
        (serving.length > 0 ? serving : nodes).map(({ address }) => address),
      );
      for (const { zone, address } of nodes) names.set(`${zone}.${hostName}`, [address]);
    }
    return names;
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
      const zone = instance.Placement?.AvailabilityZone ?? "";
      return [{ id: target.Id ?? "", zone, address, port: target.Port ?? group.Port ?? 0 }];
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

async function readBalancers() {
  const { LoadBalancers: balancers = [] } = await motoElb.send(new DescribeLoadBalancersCommand({}));
  const { TargetGroups: groups = [] } = await motoElb.send(new DescribeTargetGroupsCommand({}));
  const described: Described[] = [];
  for (const balancer of balancers.filter(({ Type }) => Type === "network")) {
    const { LoadBalancerArn } = balancer;
    const { Listeners: listeners = [] } = await motoElb.send(
      new DescribeListenersCommand({ LoadBalancerArn }),
    );
    described.push({ balancer, listeners, crossZone: await isCrossZone(LoadBalancerArn) });
  }
  return { described, groups };
}

/** Off by default. */
async function isCrossZone(LoadBalancerArn: string | undefined): Promise<boolean> {
  const { Attributes } = await motoElb.send(new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn }));
  return Attributes?.find(({ Key }) => Key === "load_balancing.cross_zone.enabled")?.Value === "true";
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
