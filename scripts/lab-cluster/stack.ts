import { existsSync, mkdirSync } from "node:fs";
import { arch } from "node:os";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { apiVersion } from "../../bootstrap/contract/configuration/api-version.ts";
import { ClusterSetup } from "../../bootstrap/contract/configuration/cluster-setup.ts";
import { NodeConfiguration } from "../../bootstrap/contract/configuration/node.ts";
import { StackDocument } from "../../infra/stack-document.ts";
import { home, minerPort, services, vpcCidr, zones } from "../lab/addresses.ts";
import type { LabFacts } from "../lab/facts.ts";
import type { LabPaths } from "../lab/paths.ts";
import { writeFileAtomically } from "../machine/files.ts";
import { deploy, deployAccountStack } from "../stack/deploy.ts";
import { clusterSetupOf, deployedCluster, nodeOf } from "../stack/node-documents.ts";
import { readStackDocument } from "../stack/read-document.ts";
import type { FirstLaunch } from "../stack/group/running.ts";
import type { Target } from "../target/target.ts";

/** The documents of a cluster. The user can read and change them. */
const documentOf = (suffix: string) => (lab: LabPaths, name: string) =>
  join(lab.state, "clusters", `${name}${suffix}.yaml`);
export const stackFile = documentOf("-stack");
export const setupFile = documentOf("-setup");
export const configurationFile = documentOf("");

/**
 * `own`: a VPC that the stack creates. One cluster of a lab can have one: its addresses are those of the lab. `shared`: the VPC
 * that the lab has from its start.
 */
export type LabNetwork = "own" | "shared";

/** Deploys the stacks of a cluster in the lab from its stack.yaml, and writes this document when it does not exist. */
export async function deployLabStack(
  lab: LabPaths,
  facts: LabFacts,
  target: Target,
  wanted: { readonly name: string; readonly network: LabNetwork; readonly first?: FirstLaunch },
): Promise<void> {
  const { name, network, first } = wanted;
  const file = stackFile(lab, name);
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileAtomically(file, stringify(stackDocument(facts, target, name, network)));
  }
  await deploy(target, { ...withoutQuestions, document: await readStackDocument(file), first });
}

/** Deploys the stack that all clusters of the lab share, before several clusters are created at the same time. */
export async function deployLabAccountStack(facts: LabFacts, target: Target): Promise<void> {
  const document = StackDocument.parse(stackDocument(facts, target, "account", "shared"));
  await deployAccountStack(target, { ...withoutQuestions, document });
}

const withoutQuestions = {
  allowed: [],
  confirm: async () => await Promise.resolve(true),
  report: () => undefined,
};

/** The key `network` of a stack.yaml. */
export function networkIn({ network: own }: LabFacts, network: LabNetwork): object {
  if (network === "own") return { cidr: vpcCidr };
  const subnets = Object.entries(own?.subnetIds ?? {}).map(([zone, subnet]) => [
    zone,
    { public: subnet, node: subnet, database: subnet },
  ]);
  return { existing: { vpcId: own?.vpcId, subnets: Object.fromEntries(subnets) } };
}

function stackDocument(facts: LabFacts, target: Target, name: string, network: LabNetwork): object {
  return {
    apiVersion,
    kind: "Stack",
    cluster: name,
    chain: "regtest",
    region: home.region,
    zones: zones.map((zone) => zone.name),
    network: networkIn(facts, network),
    instance: { architecture: arch() === "arm64" ? "arm64" : "x86_64", type: target.instance.type },
    // The login of a remote bitcoind and the password of Eclair's API, for configurations that name them.
    additionalSecrets: [`${name}/bitcoind`, `${name}/api`],
  };
}

/** Writes the input of `init` for a cluster whose stacks are deployed. All keys of the node are in one secret. */
export async function writeSetup(lab: LabPaths, target: Target, name: string): Promise<ClusterSetup> {
  const seeds = `${name}/seeds`;
  const setup = ClusterSetup.parse({
    ...(parse(clusterSetupOf(await deployedCluster(target, name))) as object),
    secrets: { nodeSeed: seeds, channelSeed: seeds, onChain: seeds },
  });
  writeFileAtomically(setupFile(lab, name), stringify(setup));
  return setup;
}

/** What the configuration of every node in the lab has, for the small hosts and the miner. */
export const labNode = {
  bitcoind: { local: { peers: [`${services.miner}:${minerPort}`] } },
  java: { heapMebibytes: 512 },
  // Longer than the lab's load balancer sends connections to a deregistered target.
  failover: { drainSeconds: 10 },
};
export const labChainGibibytes = 2;

/** Writes the configuration of a node that `init` has created. */
export async function writeConfiguration(
  lab: LabPaths,
  target: Target,
  { cluster, secrets }: Pick<ClusterSetup, "cluster" | "secrets">,
): Promise<void> {
  const deployed = parse(nodeOf(await deployedCluster(target, cluster))) as { chainVolume: object };
  const configuration = {
    ...deployed,
    secrets,
    ...labNode,
    chainVolume: { ...deployed.chainVolume, sizeGibibytes: labChainGibibytes },
  };
  NodeConfiguration.parse(configuration);
  writeFileAtomically(configurationFile(lab, cluster), stringify(configuration));
}
