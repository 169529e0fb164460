import {
  DescribeLoadBalancersCommand,
  ElasticLoadBalancingV2Client,
  ModifyLoadBalancerAttributesCommand,
  type LoadBalancer,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { execa } from "execa";
import { join } from "node:path";
import type { NodeConfiguration } from "../../bootstrap/contract/configuration/node.ts";
import { ports } from "../../bootstrap/contract/ports.ts";
import { services } from "../lab/addresses.ts";
import { nodeBinary, root } from "../machine/paths.mjs";
import type { Target } from "../target/target.ts";

const handshakeProgram = join(root, "scripts/lightning/handshake-main.ts");

async function loadBalancerOf(target: Target, cluster: string): Promise<LoadBalancer | undefined> {
  const { LoadBalancers } = await target
    .client(ElasticLoadBalancingV2Client)
    .send(new DescribeLoadBalancersCommand({ Names: [cluster] }));
  return LoadBalancers?.[0];
}

/** The host name of a cluster's load balancer. */
const hostOf = async (target: Target, cluster: string): Promise<string> =>
  (await loadBalancerOf(target, cluster))?.DNSName ?? "";

/** Lets a cluster's load balancer lead from its address in each zone to the hosts of all zones, or of this zone only. */
export async function balanceAcrossZones(target: Target, cluster: string, enabled: boolean): Promise<void> {
  const loadBalancer = await loadBalancerOf(target, cluster);
  await target.client(ElasticLoadBalancingV2Client).send(
    new ModifyLoadBalancerAttributesCommand({
      LoadBalancerArn: loadBalancer?.LoadBalancerArn,
      Attributes: [{ Key: "load_balancing.cross_zone.enabled", Value: String(enabled) }],
    }),
  );
}

/**
 * The addresses of a cluster's load balancer by zone, from the names that each NLB has for its zones.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#dns-name
 */
export async function loadBalancerAddresses(
  target: Target,
  cluster: string,
  zones: readonly string[],
): Promise<Map<string, string>> {
  const host = await hostOf(target, cluster);
  return new Map(
    await Promise.all(zones.map(async (zone) => [zone, await resolve(target, `${zone}.${host}`)] as const)),
  );
}

/**
 * Begins the Lightning handshake with a node through the load balancer of its cluster.
 * @returns whether a process with the node's key answered
 */
export async function handshakeThroughLoadBalancer(
  target: Target,
  { cluster, nodeId }: Pick<NodeConfiguration, "cluster" | "nodeId">,
): Promise<{ readonly endpoint: string; readonly answered: boolean }> {
  const host = await hostOf(target, cluster);
  const address = await resolve(target, host);
  const answered = await answersAt(target, nodeId, address);
  return { endpoint: `${host}:${ports.lightning}`, answered };
}

/** Whether a process with the node's key answers the Lightning handshake at an address. */
export async function answersAt(
  target: Target,
  nodeId: string,
  address: string,
  port: number = ports.lightning,
): Promise<boolean> {
  const command = [nodeBinary, handshakeProgram, nodeId, address, String(port)];
  return (await runInLab(target, command, false)).exitCode === 0;
}

const resolveScript = `const { Resolver } = require("node:dns"); const r = new Resolver(); r.setServers([process.argv[1]]); r.resolve4(process.argv[2], (e, a) => { if (e) throw e; console.log(a[0]); });`;

/** Only the lab's own resolver knows the names of the lab. */
async function resolve(target: Target, host: string): Promise<string> {
  const command = [process.execPath, "--eval", resolveScript, services.dns, host];
  return (await runInLab(target, command, true)).stdout.trim();
}

async function runInLab({ commandPrefix }: Target, command: readonly string[], reject: boolean) {
  const [program = "", ...args] = [...commandPrefix, ...command];
  return await execa(program, args, { reject });
}
