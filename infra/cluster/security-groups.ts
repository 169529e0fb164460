import { CfnSecurityGroup, CfnSecurityGroupEgress, CfnSecurityGroupIngress } from "aws-cdk-lib/aws-ec2";
import { Construct } from "constructs";
import { ports } from "../../bootstrap/contract/ports.ts";
import { acceptFinding } from "../accept-finding.ts";
import type { Database } from "../state/database.ts";

export type SecurityGroupsProps = {
  readonly name: string;
  readonly vpcId: string;
  readonly database: Pick<Database, "port" | "securityGroupId">;
  /** The networks that may read the metrics at port 8090. */
  readonly scrapers: readonly string[];
};

type Peer =
  | { readonly sourceSecurityGroupId: string }
  | { readonly cidrIp: string }
  | { readonly cidrIpv6: string };

/** The security groups of load balancer and instances, and the rule that admits the instances to the database. */
export class SecurityGroups extends Construct {
  readonly loadBalancer: string;
  readonly instances: string;

  constructor(scope: Construct, id: string, { name, vpcId, database, scrapers }: SecurityGroupsProps) {
    super(scope, id);
    this.instances = new CfnSecurityGroup(this, "Instances", {
      vpcId,
      groupDescription: `Instances of ${name}`,
      securityGroupEgress: [
        { ipProtocol: "-1", cidrIp: "0.0.0.0/0", description: "AWS APIs, Bitcoin and Lightning peers" },
      ],
    }).attrGroupId;
    const lightning = { ipProtocol: "tcp", fromPort: ports.lightning, toPort: ports.lightning };
    const balancer = new CfnSecurityGroup(this, "LoadBalancer", {
      vpcId,
      groupDescription: `Load balancer of ${name}`,
      securityGroupIngress: [{ ...lightning, cidrIp: "0.0.0.0/0", description: "Lightning peers" }],
      // Without a rule, EC2 would add one for all traffic.
      securityGroupEgress: [
        {
          ...lightning,
          destinationSecurityGroupId: this.instances,
          description: "Lightning connections to the instances",
        },
      ],
    });
    acceptFinding(
      balancer,
      "EC23",
      "every Lightning node may connect to the node, at the Lightning port only",
    );
    this.loadBalancer = balancer.attrGroupId;
    new CfnSecurityGroupEgress(this, "HealthChecks", {
      groupId: this.loadBalancer,
      ipProtocol: "tcp",
      ...{ fromPort: ports.health, toPort: ports.health },
      destinationSecurityGroupId: this.instances,
      description: "Health checks of the instances",
    });

    const admit = (title: string, protocol: "tcp" | "udp", port: number, peer: Peer, description: string) =>
      new CfnSecurityGroupIngress(this, title, {
        groupId: this.instances,
        ipProtocol: protocol,
        ...{ fromPort: port, toPort: port },
        ...peer,
        description,
      });
    const loadBalancer = { sourceSecurityGroupId: this.loadBalancer };
    const instances = { sourceSecurityGroupId: this.instances };
    admit("LightningFromLoadBalancer", "tcp", ports.lightning, loadBalancer, "Lightning connections");
    admit("HealthFromLoadBalancer", "tcp", ports.health, loadBalancer, "Health checks");
    admit("DoorFromInstances", "tcp", ports.door, instances, "Doors of the other hosts");
    admit("HeartbeatFromInstances", "udp", ports.door, instances, "Supervisors of the other hosts");
    admit("HealthFromInstances", "tcp", ports.health, instances, "Doors of the other hosts");
    for (const network of scrapers) {
      const peer = network.includes(":") ? { cidrIpv6: network } : { cidrIp: network };
      admit(`Scraper-${network}`, "tcp", ports.health, peer, "Metrics");
    }
    new CfnSecurityGroupIngress(this, "DatabaseFromInstances", {
      groupId: database.securityGroupId,
      ipProtocol: "tcp",
      fromPort: database.port,
      toPort: database.port,
      sourceSecurityGroupId: this.instances,
      description: `Instances of ${name}`,
    });
  }
}
