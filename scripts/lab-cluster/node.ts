import {
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { apiVersion } from "../../bootstrap/contract/configuration/api-version.ts";
import { ClusterSetup } from "../../bootstrap/contract/configuration/cluster-setup.ts";
import { NodeConfiguration } from "../../bootstrap/contract/configuration/node.ts";
import type { SetupResult } from "../../bootstrap/contract/reports/setup.ts";
import { runClusterSetup } from "../cluster/cluster-setup.ts";
import { minerPort, services } from "../lab/addresses.ts";
import type { LabFacts } from "../lab/facts.ts";
import type { LabPaths } from "../lab/paths.ts";
import { roleName } from "../../infra/cluster/role-names.ts";
import { writeFileAtomically } from "../machine/files.ts";
import type { Target } from "../target/target.ts";
import { createClusterResources } from "./resources.ts";

/** The documents of a cluster. The user can read and change them. */
export const setupFile = (lab: LabPaths, name: string) => join(lab.state, "clusters", `${name}-setup.yaml`);
export const configurationFile = (lab: LabPaths, name: string) => join(lab.state, "clusters", `${name}.yaml`);

/** Initialises the node of a cluster with `init`, and writes the configuration of the node. */
export async function initLabNode(
  lab: LabPaths,
  facts: LabFacts,
  target: Target,
  { name, imageId }: { readonly name: string; readonly imageId: string },
): Promise<{ readonly file: string; readonly result: SetupResult }> {
  const setup = existsSync(setupFile(lab, name))
    ? ClusterSetup.parse(parse(readFileSync(setupFile(lab, name), "utf8")))
    : await createClusterResources(facts, target, name);
  mkdirSync(dirname(setupFile(lab, name)), { recursive: true });
  writeFileAtomically(setupFile(lab, name), stringify(setup));
  const task = { action: "init", createSecrets: true, walletRetained: false } as const;
  const instance = { image: { imageId }, launchTemplate: name, instanceProfile: roleName(name, "setup") };
  const result = await runClusterSetup(target, setup, task, instance, new AbortController().signal);
  const configuration = await nodeConfiguration(target, setup, result);
  const file = configurationFile(lab, name);
  if (!existsSync(file)) writeFileAtomically(file, stringify(configuration));
  return { file, result };
}

/** Contains only the settings that differ from their defaults. */
async function nodeConfiguration(target: Target, setup: ClusterSetup, result: SetupResult): Promise<object> {
  const { cluster, chain, secrets } = setup;
  const { TargetGroups } = await target
    .client(ElasticLoadBalancingV2Client)
    .send(new DescribeTargetGroupsCommand({ Names: [cluster] }));
  const { ownerSecret: _ownerSecret, ...database } = setup.database;
  const configuration = {
    apiVersion,
    kind: "Node",
    cluster,
    chain,
    nodeId: result.nodeId,
    alias: cluster,
    secrets,
    database,
    bitcoind: { local: { peers: [`${services.miner}:${minerPort}`] } },
    chainVolume: { sizeGibibytes: 2 },
    targetGroupArns: (TargetGroups ?? []).map(({ TargetGroupArn }) => TargetGroupArn),
    java: { heapMebibytes: 512 },
  };
  NodeConfiguration.parse(configuration);
  return configuration;
}
