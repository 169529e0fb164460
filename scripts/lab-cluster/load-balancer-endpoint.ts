import {
  DescribeLoadBalancersCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { execa } from "execa";
import { join } from "node:path";
import type { NodeConfiguration } from "../../bootstrap/contract/configuration/node.ts";
import { ports } from "../../bootstrap/contract/ports.ts";
import { services } from "../lab/addresses.ts";
import { nodeBinary, root } from "../machine/paths.mjs";
import type { Target } from "../target/target.ts";

const handshakeProgram = join(root, "scripts/lightning/handshake-main.ts");

export type LoadBalancerEndpoint = { readonly host: string; readonly address: string };

/** The host name and the address of a cluster's load balancer. */
export async function loadBalancerEndpoint(target: Target, name: string): Promise<LoadBalancerEndpoint> {
  const { LoadBalancers } = await target
    .client(ElasticLoadBalancingV2Client)
    .send(new DescribeLoadBalancersCommand({ Names: [name] }));
  const host = LoadBalancers?.[0]?.DNSName ?? "";
  return { host, address: await resolve(target, host) };
}

/**
 * Begins the Lightning handshake with a node through the load balancer of its cluster.
 * @returns whether a process with the node's key answered
 */
export async function handshakeThroughLoadBalancer(
  target: Target,
  { cluster, nodeId }: Pick<NodeConfiguration, "cluster" | "nodeId">,
): Promise<{ readonly endpoint: string; readonly answered: boolean }> {
  const { host, address } = await loadBalancerEndpoint(target, cluster);
  const command = [nodeBinary, handshakeProgram, nodeId, address, String(ports.lightning)];
  const { exitCode } = await runInLab(target, command, false);
  return { endpoint: `${host}:${ports.lightning}`, answered: exitCode === 0 };
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
