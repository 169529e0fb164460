import { Construct } from "constructs";
import type { Address } from "../state/addresses.ts";
import type { Database } from "../state/database.ts";
import type { Network } from "../state/network.ts";
import { NodeGroup } from "./group.ts";
import { NodeLaunchTemplate, type Running } from "./launch-template.ts";
import { NodeLoadBalancer } from "./load-balancer.ts";
import { NodeRoles, type NodeSecretNames } from "./roles.ts";
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
  /** What the instances run; undefined until the node exists, and the group then has no instances. */
  readonly running?: Running | undefined;
};

/** A highly available Eclair node: load balancer, Auto Scaling group, launch template, security groups and roles. */
export class NodeCluster extends Construct {
  readonly loadBalancer: NodeLoadBalancer;
  readonly group: NodeGroup;
  readonly launchTemplate: NodeLaunchTemplate;
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
    this.launchTemplate = new NodeLaunchTemplate(this, "LaunchTemplate", {
      name,
      instanceType: props.instanceType,
      instanceProfileArn: this.roles.instanceProfileArn,
      securityGroupId: securityGroups.instances,
      subnetId: firstZone?.node ?? "",
      volumeKeyArn: props.volumeKeyArn,
      running,
    });
    this.group = new NodeGroup(this, "Group", {
      name,
      network,
      template: this.launchTemplate,
      size: running === undefined ? 0 : 2,
    });
  }
}
