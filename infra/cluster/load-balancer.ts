import { CfnListener, CfnLoadBalancer } from "aws-cdk-lib/aws-elasticloadbalancingv2";
import { Construct } from "constructs";
import { ports } from "../../bootstrap/contract/ports.ts";
import { acceptFinding } from "../accept-finding.ts";
import type { Address } from "../state/addresses.ts";
import type { Network } from "../state/network.ts";

export type NodeLoadBalancerProps = {
  readonly name: string;
  readonly network: Network;
  readonly addresses: Readonly<Record<string, Address>>;
  readonly securityGroupId: string;
  readonly targetGroupArn: string;
};

const attribute = (key: string, value: string) => ({ key, value });

/** A Network Load Balancer with the addresses of the node. */
export class NodeLoadBalancer extends Construct {
  readonly dnsName: string;

  constructor(scope: Construct, id: string, props: NodeLoadBalancerProps) {
    super(scope, id);
    const { name, network, addresses, securityGroupId, targetGroupArn } = props;
    const balancer = new CfnLoadBalancer(this, "LoadBalancer", {
      name,
      type: "network",
      scheme: "internet-facing",
      subnetMappings: Object.entries(addresses).map(([zone, { allocationId }]) => ({
        subnetId: network.subnetIds[zone]?.public ?? "",
        allocationId,
      })),
      securityGroups: [securityGroupId],
      // The address of a zone leads to the node also while the zone has no instance.
      loadBalancerAttributes: [attribute("load_balancing.cross_zone.enabled", "true")],
    });
    acceptFinding(
      balancer,
      "ELB2",
      "a Network Load Balancer logs only TLS connections, and Lightning uses none",
    );
    new CfnListener(this, "Listener", {
      loadBalancerArn: balancer.ref,
      protocol: "TCP",
      port: ports.lightning,
      defaultActions: [{ type: "forward", targetGroupArn }],
    });
    this.dnsName = balancer.attrDnsName;
  }
}
