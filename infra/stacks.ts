import {
  BootstraplessSynthesizer,
  CfnOutput,
  Fn,
  Stack,
  type App,
  type IStackSynthesizer,
  type StackProps,
} from "aws-cdk-lib";
import { ClusterTable } from "./cluster-table.ts";
import type { Running } from "./cluster/launch-template.ts";
import { NodeCluster } from "./cluster/node-cluster.ts";
import type { NodeSecretNames } from "./cluster/roles.ts";
import { defaultDatabase, defaultNetwork, instanceTypeOf, type StackDocument } from "./stack-document.ts";
import { stackNames } from "./stack-names.ts";
import { NodeAddresses } from "./state/addresses.ts";
import { NodeDatabase, type Database } from "./state/database.ts";
import { NodeKeys } from "./state/keys.ts";
import { NodeTargetGroup } from "./state/target-group.ts";
import { idOf, NodeNetwork, type Network } from "./state/network.ts";

/** The secrets of a node by name. A template contains names of secrets, and no secret. */
const secretNames = ({ cluster, additionalSecrets }: Pick<StackDocument, "cluster" | "additionalSecrets">) =>
  ({
    node: [`${cluster}/seeds`, `${cluster}/on-chain`],
    runtime: `${cluster}/database`,
    more: additionalSecrets,
  }) satisfies NodeSecretNames;

/** The stacks of a node, in the order of their deployment. */
export type NodeStacks = {
  /** The cluster table; undefined when the table exists already. */
  readonly account: Stack | undefined;
  /** What must outlive every deployment: network, database, keys, addresses and target group. */
  readonly state: StateStack;
  /** What can be created again at any time: load balancer, group, roles. */
  readonly cluster: Stack;
};

/** Defines the stacks of a document in an app. */
export function defineStacks(app: App, document: StackDocument, running?: Running): NodeStacks {
  const names = stackNames(document.cluster);
  const props = (description: string): StackProps => ({
    description,
    // The templates name no region and no account: `stack synth` needs neither credentials nor network.
    // With `exactOptionalPropertyTypes`, the two types of CDK contradict each other.
    // oxlint-disable-next-line typescript/no-unnecessary-type-assertion
    synthesizer: new BootstraplessSynthesizer() as IStackSynthesizer,
  });
  const account = document.table.existing
    ? undefined
    : new Stack(app, names.account, props("eclair-ami: the cluster table"));
  if (account !== undefined) new ClusterTable(account, "Table", { tableName: document.table.name });
  const state = new StateStack(
    app,
    names.state,
    document,
    props(`eclair-ami: network, database, keys and addresses of ${document.cluster}`),
  );
  const cluster = new ClusterStack(app, names.cluster, document, state, running, {
    ...props(`eclair-ami: load balancer, group and roles of ${document.cluster}`),
  });
  return { account, state, cluster };
}

class StateStack extends Stack {
  readonly network: Network;
  readonly addresses: NodeAddresses;
  readonly database: Database;
  readonly keys: NodeKeys;
  readonly targetGroup: NodeTargetGroup;

  constructor(app: App, id: string, document: StackDocument, props: StackProps) {
    super(app, id, props);
    const { cluster: name, zones } = document;
    this.network = networkOf(this, document);
    this.addresses = new NodeAddresses(this, "Addresses", { name, zones });
    this.keys = new NodeKeys(this, "Keys", { name });
    this.database = databaseOf(this, document);
    this.targetGroup = new NodeTargetGroup(this, "TargetGroup", { name, vpcId: this.network.vpcId });
    output(this, "Chain", document.chain);
    output(this, "Table", document.table.name);
    output(this, "DatabaseHost", this.database.host);
    output(this, "DatabasePort", String(this.database.port));
    output(this, "DatabaseName", this.database.name);
    output(this, "DatabaseOwnerSecretArn", this.database.ownerSecretArn);
    output(this, "VolumeKeyArn", this.keys.volumeKeyArn);
    output(this, "TargetGroupArn", this.targetGroup.arn);
    for (const [zone, { node }] of Object.entries(this.network.subnetIds))
      output(this, idOf("NodeSubnet", zone), node);
    const ips = Object.values(this.addresses.byZone).map(({ ip }) => ip);
    output(this, "PublicAddresses", Fn.join(",", ips));
  }
}
export type { StateStack };

class ClusterStack extends Stack {
  constructor(
    app: App,
    id: string,
    document: StackDocument,
    { network, addresses, database, keys, targetGroup }: StateStack,
    running: Running | undefined,
    props: StackProps,
  ) {
    super(app, id, props);
    const { cluster: name, table, scrapers } = document;
    const { loadBalancer, launchTemplate, singleTemplate, group, roles } = new NodeCluster(this, "Node", {
      name,
      network,
      addresses: addresses.byZone,
      database,
      volumeKeyArn: keys.volumeKeyArn,
      targetGroupArn: targetGroup.arn,
      table: table.name,
      secrets: secretNames(document),
      instanceType: instanceTypeOf(document),
      scrapers,
      running,
    });
    output(this, "LoadBalancerDnsName", loadBalancer.dnsName);
    output(this, "LaunchTemplateVersion", launchTemplate.version);
    output(this, "SingleLaunchTemplateId", singleTemplate.templateId);
    output(this, "SingleLaunchTemplateVersion", singleTemplate.version);
    if (group !== undefined) output(this, "GroupName", group.groupName);
    output(this, "OperatorRoleArn", roles.operatorRoleArn);
  }
}

/** An output that the commands read by its key. */
function output(stack: Stack, key: string, value: string): void {
  new CfnOutput(stack, key, { value }).overrideLogicalId(key);
}

function networkOf(stack: Stack, { cluster: name, zones, network }: StackDocument): Network {
  const { existing, ...settings } = network;
  if (existing !== undefined) return { vpcId: existing.vpcId, subnetIds: existing.subnets };
  return new NodeNetwork(stack, "Network", {
    name,
    zones,
    cidr: settings.cidr ?? defaultNetwork.cidr,
    natGateways: settings.natGateways ?? defaultNetwork.natGateways,
  });
}

function databaseOf(stack: StateStack, { cluster: name, database }: StackDocument): Database {
  const { existing, ...settings } = database;
  if (existing !== undefined) return existing;
  return new NodeDatabase(stack, "Database", {
    name,
    network: stack.network,
    keyArn: stack.keys.databaseKeyArn,
    instanceClass: settings.instanceClass ?? defaultDatabase.instanceClass,
    storageGibibytes: settings.storageGibibytes ?? defaultDatabase.storageGibibytes,
    majorVersion: settings.majorVersion ?? defaultDatabase.majorVersion,
  });
}
