import {
  DescribeLoadBalancersCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { execa } from "execa";
import { ports } from "../../bootstrap/contract/ports.ts";
import { services } from "../lab/addresses.ts";
import type { Target } from "../target/target.ts";

export type LoadBalancerEndpoint = { readonly host: string; readonly address: string };

/** The host name and the address of a cluster's load balancer. */
export async function loadBalancerEndpoint(target: Target, name: string): Promise<LoadBalancerEndpoint> {
  const { LoadBalancers } = await target
    .client(ElasticLoadBalancingV2Client)
    .send(new DescribeLoadBalancersCommand({ Names: [name] }));
  const host = LoadBalancers?.[0]?.DNSName ?? "";
  return { host, address: await resolve(target, host) };
}

/** Tries to open a TCP connection to the Lightning port through the load balancer of a cluster. */
export async function connectThroughLoadBalancer(
  target: Target,
  name: string,
): Promise<{ readonly endpoint: string; readonly connected: boolean }> {
  const { host, address } = await loadBalancerEndpoint(target, name);
  const connect = `exec 3<>/dev/tcp/$1/${ports.lightning}`;
  const { exitCode } = await runInLab(
    target,
    ["timeout", "3", "bash", "-c", connect, "bash", address],
    false,
  );
  return { endpoint: `${host}:${ports.lightning}`, connected: exitCode === 0 };
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
