import { Construct } from "constructs";
import type { Address } from "../state/addresses.ts";
import type { Database } from "../state/database.ts";
import type { Network } from "../state/network.ts";
import { NodeGroup } from "./group.ts";
import { NodeLaunchTemplate, type Running } from "./launch-template.ts";
import { NodeLoadBalancer } from "./load-balancer.ts";
import { NodeRoles, type NodeSecretNames } from "./roles.ts";
import { singleTemplateName } from "./template-names.ts";
import { SecurityGroups } from "./security-groups.ts";

export type NodeClusterProps = {
  /** The name of the cluster, of its group, launch template and load balancer, and the beginning of its roles' names. */
  readonly name: string;
  readonly network: Network;
  /** By the name of the zone. */
  readonly addresses: Readonly<Record<string, Address>>;
  readonly database: Database;
  readonly volumeKeyArn: string;
  readonly targetGroupArn: string;
  /** The name of the cluster table. */
  readonly table: string;
  readonly secrets: NodeSecretNames;
  readonly instanceType: string;
  /** The networks that may read the metrics at port 8090. */
  readonly scrapers?: readonly string[];
  /** What the instances run; undefined until the node exists, and there is no group then. */
  readonly running?: Running | undefined;
};

/** A highly available Eclair node: load balancer, Auto Scaling group, launch template, security groups and roles. */
export class NodeCluster extends Construct {
  readonly loadBalancer: NodeLoadBalancer;
  /** Undefined until the node exists: a group needs an image. */
  readonly group: NodeGroup | undefined;
  readonly launchTemplate: NodeLaunchTemplate;
  /** For `init` and `launch`. */
  readonly singleTemplate: NodeLaunchTemplate;
  readonly roles: NodeRoles;

  constructor(scope: Construct, id: string, props: NodeClusterProps) {
    super(scope, id);
    const { name, network, addresses, database, running } = props;
    const securityGroups = new SecurityGroups(this, "SecurityGroups", {
      name,
      vpcId: network.vpcId,
      database,
      scrapers: props.scrapers ?? [],
    });
    this.loadBalancer = new NodeLoadBalancer(this, "LoadBalancer", {
      name,
      network,
      addresses,
      securityGroupId: securityGroups.loadBalancer,
      targetGroupArn: props.targetGroupArn,
    });
    this.roles = new NodeRoles(this, "Roles", {
      name,
      table: props.table,
      targetGroupArn: props.targetGroupArn,
      volumeKeyArn: props.volumeKeyArn,
      ownerSecretArn: database.ownerSecretArn,
      secrets: props.secrets,
    });
    const [firstZone] = Object.values(network.subnetIds);
    const instance = {
      instanceType: props.instanceType,
      instanceProfileArn: this.roles.instanceProfileArn,
      securityGroupId: securityGroups.instances,
      volumeKeyArn: props.volumeKeyArn,
    };
    this.launchTemplate = new NodeLaunchTemplate(this, "LaunchTemplate", { ...instance, name, running });
    this.singleTemplate = new NodeLaunchTemplate(this, "SingleLaunchTemplate", {
      ...instance,
      name: singleTemplateName(name),
      subnetId: firstZone?.node,
    });
    this.group =
      running === undefined
        ? undefined
        : new NodeGroup(this, "Group", { name, network, template: this.launchTemplate });
    // The instances start last and end first: they need the roles, the rules and the load balancer until their end.
    this.group?.node.addDependency(securityGroups, this.loadBalancer, this.roles);
  }
}
