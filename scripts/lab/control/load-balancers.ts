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
import type { QueryCall } from "../front/query.ts";
import { MotoCache } from "./moto-cache.ts";
import { motoElb } from "./moto.ts";
import { serialQueue } from "./one-at-a-time.ts";
import type { Instances } from "./instances.ts";
import { DeregisteredTargets } from "../nlb/deregistered-targets.ts";

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
  private readonly deregistered: DeregisteredTargets;
  /** HAProxy does not answer while it loads another configuration, so everything that uses it waits. */
  private readonly enqueue = serialQueue();
  /** Load balancers, listeners, target groups and their targets. */
  private readonly cache = new MotoCache();
  private balancers: readonly (LoadBalancer & { readonly hostName: string })[] = [];

  private readonly read: () => Promise<{ readonly described: Described[]; readonly groups: Group[] }>;
  private readonly groupOf: (arn: string) => Promise<Group | undefined>;
  private readonly targetsOf: (arn: string) => Promise<TargetDescription[]>;

  constructor(instances: Instances) {
    this.lab = instances.lab;
    this.instances = instances;
    this.deregistered = new DeregisteredTargets(
      (id) => instances.managed.get(id)?.instance.State?.Name === "running",
    );
    this.read = this.cache.cached(readBalancers);
    this.groupOf = this.cache.cachedByKey(readGroup);
    this.targetsOf = this.cache.cachedByKey(readTargets);
  }

  /** A call was made that can have changed moto's state: what it can have changed is read again. */
  noteChange(service: string, { action, form }: QueryCall): void {
    const changesTargets = action === "RegisterTargets" || action === "DeregisterTargets";
    if (changesTargets) this.cache.invalidateKey(form.get("TargetGroupArn") ?? "");
    else if (service === "elasticloadbalancing" || service === "cloudformation") this.cache.invalidate();
  }

  async reconcile(): Promise<void> {
    await this.enqueue(() => this.apply());
  }

  private async apply(): Promise<void> {
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
        if (group === undefined) continue;
        listeners.push({ port, group: this.deregistered.reachable(await this.describe(group)) });
      }
      balancers.push({ name, hostName, nodes, crossZone, listeners });
    }
    this.deregistered.keepGroups(
      balancers.flatMap(({ listeners }) => listeners.map(({ group }) => group.name)),
    );
    await applyLoadBalancers(this.lab, balancers);
    this.balancers = balancers;
  }

  /** Whether a deregistered target must leave its load balancer. */
  get isDue(): boolean {
    return this.deregistered.isDue;
  }

  /** @returns whether the healthy targets, and therefore the names, have changed */
  async followHealth(): Promise<boolean> {
    return await this.enqueue(() => followHealth(this.lab));
  }

  /**
   * The addresses of the load balancers by host name. Each zone has a name, too. Without cross-zone load balancing, a zone
   * without a healthy target is not in the common name, unless no zone has one.
   * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#dns-name
   */
  async names(): Promise<Map<string, readonly string[]>> {
    const names = new Map<string, readonly string[]>();
    if (this.balancers.length === 0) return names;
    const states = await this.enqueue(serverStates);
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
    const states = await this.enqueue(serverStates);
    return (await this.targetsOf(groupArn)).flatMap((target) => {
      if (!this.isRegistrable(target)) return [];
      const known = description.targets.find(({ id, port }) => id === target.Id && port === target.Port);
      const state = known && states.get(serverPath(description, known));
      return [{ target, state: state ?? "unused" }];
    });
  }

  /** Whether the instance of a target has not been terminated. ELB deregisters a terminated instance. */
  private isRegistrable({ Id = "" }: TargetDescription): boolean {
    const state = this.instances.managed.get(Id)?.instance.State?.Name;
    return state !== undefined && state !== "shutting-down" && state !== "terminated";
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
