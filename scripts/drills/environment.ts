import { execa } from "execa";
import type { NodeConfiguration } from "../../bootstrap/contract/configuration/node.ts";
import { nodeStatuses, type NodeStatus } from "../cluster/status.ts";
import { loadBalancerAddresses } from "../lab-cluster/load-balancer-endpoint.ts";
import { zones } from "../lab/addresses.ts";
import { serviceNsenterArguments, type LabFacts } from "../lab/facts.ts";
import { bashInGuest } from "../lab/guest/run.ts";
import { haproxyPidFile } from "../lab/nlb/haproxy.ts";
import type { LabPaths } from "../lab/paths.ts";
import type { RemoteBitcoind } from "../lab/remote-bitcoind/remote-bitcoind.ts";
import type { RpcProxy } from "../lab/remote-bitcoind/rpc-proxy.ts";
import { DatabaseAdmin } from "../lab/rds/database-admin.ts";
import type { Target } from "../target/target.ts";

/** The remote bitcoinds of the pair, in the order of preference. Both come before the local bitcoind. */
export type Remotes = {
  readonly first: RemoteBitcoind;
  /** In front of the RPC of the first one. */
  readonly proxy: RpcProxy;
  readonly second: RemoteBitcoind;
};

/** The cluster that is drilled: two instances of one image in a lab. */
export type DrillEnvironment = {
  readonly lab: LabPaths;
  readonly facts: LabFacts;
  readonly target: Target;
  readonly configuration: NodeConfiguration;
  readonly configurationFile: string;
  readonly imageId: string;
  /** Only for drills with remote bitcoinds. */
  readonly remotes?: Remotes;
};

export const databaseOf = ({ lab, facts, configuration }: DrillEnvironment) =>
  new DatabaseAdmin(lab, facts, configuration.cluster);

/** The arguments of nsenter that run a program of this machine in the network of the lab. */
export const labNetworkArguments = ({
  lab,
  facts,
}: Pick<DrillEnvironment, "lab" | "facts">): readonly string[] => [
  `--target=${facts.initProcess?.pid}`,
  "--mount",
  `--net=/run/netns/${lab.netns}`,
  "--",
];

/** Runs a script as root on a host. @returns its output; the exit code is ignored */
export async function runOnHost(
  environment: Pick<DrillEnvironment, "lab">,
  instanceId: string,
  script: string,
): Promise<string> {
  return (await tryOnHost(environment, instanceId, script)).stdout;
}

/** Runs a script as root on a host. */
export async function tryOnHost(
  { lab }: Pick<DrillEnvironment, "lab">,
  instanceId: string,
  script: string,
): Promise<{ readonly stdout: string; readonly stderr: string; readonly failed: boolean }> {
  return await bashInGuest(lab, instanceId, script, { stdin: "ignore", reject: false });
}

export async function readStatuses({ target, configuration }: DrillEnvironment): Promise<NodeStatus[]> {
  return await nodeStatuses(target, {
    table: configuration.record.table,
    cluster: configuration.cluster,
  });
}

/** The private address and the zone of an instance. */
export async function placeOf(
  environment: DrillEnvironment,
  instanceId: string,
): Promise<{ readonly address: string; readonly zone: string }> {
  const statuses = await readStatuses(environment);
  const status = statuses.find((candidate) => candidate.instanceId === instanceId);
  return { address: status?.privateIp ?? "", zone: status?.availabilityZone ?? "" };
}

/** The addresses of the cluster's load balancer by zone. */
export async function zoneAddresses({
  target,
  configuration,
}: DrillEnvironment): Promise<Map<string, string>> {
  return await loadBalancerAddresses(
    target,
    configuration.cluster,
    zones.map(({ name }) => name),
  );
}

export async function databaseAddress(environment: DrillEnvironment): Promise<string> {
  return await databaseOf(environment).sql("show listen_addresses");
}

/** Kills the load balancer's HAProxy. The lab restarts it. */
export async function killHaproxy({ lab, facts }: DrillEnvironment): Promise<void> {
  await execa("nsenter", [
    ...serviceNsenterArguments(lab, facts),
    "sh",
    "-c",
    `kill -KILL $(head -n 1 ${haproxyPidFile(lab)})`,
  ]);
}
