import { Fn, Tags } from "aws-cdk-lib";
import {
  CfnEIP,
  CfnInternetGateway,
  CfnNatGateway,
  CfnRoute,
  CfnRouteTable,
  CfnSubnet,
  CfnSubnetRouteTableAssociation,
  CfnVPC,
  CfnVPCEndpoint,
  CfnVPCGatewayAttachment,
} from "aws-cdk-lib/aws-ec2";
import { Construct } from "constructs";
import { acceptFinding } from "../accept-finding.ts";
import { retain } from "../retained.ts";
import { subnetPurposes, zoneSubnets, type SubnetPurpose } from "./address-plan.ts";

/** The ids of the subnets of a zone. An existing database needs no `database` subnet. */
export type ZoneSubnetIds = Readonly<Record<Exclude<SubnetPurpose, "database">, string>> & {
  readonly database?: string | undefined;
};

/** Where a node runs: a VPC, and the subnets by the name of the zone, or by any other text that is known at synthesis. */
export type Network = {
  readonly vpcId: string;
  readonly subnetIds: Readonly<Record<string, ZoneSubnetIds>>;
};

export type NodeNetworkProps = {
  readonly name: string;
  readonly zones: readonly string[];
  /** A /20 network. */
  readonly cidr: string;
  /**
   * `each-zone`: the loss of a zone leaves the NAT gateways of the others. `one`: the loss of its zone cuts every instance off
   * from the AWS APIs and from Bitcoin's peers.
   */
  readonly natGateways: "each-zone" | "one";
};

/**
 * A VPC with public subnets for load balancer and NAT gateways, private subnets for the instances, and subnets without a route
 * to the internet for the database.
 */
export class NodeNetwork extends Construct implements Network {
  readonly vpcId: string;
  readonly subnetIds: Readonly<Record<string, ZoneSubnetIds>>;

  constructor(scope: Construct, id: string, { name, zones, cidr, natGateways }: NodeNetworkProps) {
    super(scope, id);
    const vpc = retain(
      new CfnVPC(this, "Vpc", { cidrBlock: cidr, enableDnsHostnames: true, enableDnsSupport: true }),
      "Vpc",
    );
    acceptFinding(
      vpc,
      "VPC7",
      "flow logs are the decision of the account; the node itself logs its connections",
    );
    Tags.of(vpc).add("Name", name);
    this.vpcId = vpc.ref;
    const gateway = new CfnInternetGateway(this, "InternetGateway");
    const attachment = new CfnVPCGatewayAttachment(this, "InternetGatewayAttachment", {
      vpcId: vpc.ref,
      internetGatewayId: gateway.ref,
    });

    const publicRoutes = this.routeTable(`${name}-public`, "public");
    new CfnRoute(this, "InternetRoute", {
      routeTableId: publicRoutes,
      destinationCidrBlock: "0.0.0.0/0",
      gatewayId: gateway.ref,
    }).addResourceDependency(attachment);
    const databaseRoutes = this.routeTable(`${name}-database`, "database");

    const subnetIds: Record<string, ZoneSubnetIds> = {};
    const nodeRoutes: string[] = [];
    let natGateway: CfnNatGateway | undefined;
    for (const [index, zone] of zones.entries()) {
      const subnets = this.subnets(name, zone, zoneSubnets(cidr, index));
      subnetIds[zone] = subnets;
      if (natGateway === undefined || natGateways === "each-zone") {
        natGateway = this.natGateway(zone, subnets.public);
        natGateway.addResourceDependency(attachment);
      }
      const routes = this.routeTable(`${name}-node-${zone}`, `node-${zone}`);
      new CfnRoute(this, `NatRoute-${zone}`, {
        routeTableId: routes,
        destinationCidrBlock: "0.0.0.0/0",
        natGatewayId: natGateway.ref,
      });
      nodeRoutes.push(routes);
      for (const [purpose, routeTableId] of [
        ["public", publicRoutes],
        ["node", routes],
        ["database", databaseRoutes],
      ] as const)
        new CfnSubnetRouteTableAssociation(this, `Association-${purpose}-${zone}`, {
          subnetId: subnets[purpose],
          routeTableId,
        });
    }
    this.subnetIds = subnetIds;
    // Traffic to the cluster table leaves through no NAT gateway: it costs nothing, and the loss of the gateway leaves it.
    new CfnVPCEndpoint(this, "DynamoDbEndpoint", {
      vpcId: vpc.ref,
      vpcEndpointType: "Gateway",
      serviceName: Fn.sub("com.amazonaws.${AWS::Region}.dynamodb"),
      routeTableIds: nodeRoutes,
    });
  }

  private subnets(
    name: string,
    zone: string,
    cidrs: Readonly<Record<SubnetPurpose, string>>,
  ): Readonly<Record<SubnetPurpose, string>> {
    const create = (purpose: SubnetPurpose) => {
      const subnet = new CfnSubnet(this, `Subnet-${purpose}-${zone}`, {
        vpcId: this.vpcId,
        availabilityZone: zone,
        cidrBlock: cidrs[purpose],
        mapPublicIpOnLaunch: false,
      });
      Tags.of(subnet).add("Name", `${name}-${purpose}-${zone}`);
      // A zone that CloudFormation chose could change, and another zone replaces the subnet.
      acceptFinding(subnet, "W3010", "stack.yaml names the zones: a subnet never moves to another zone");
      return [purpose, retain(subnet, idOf("Subnet", purpose, zone)).ref] as const;
    };
    return Object.fromEntries(subnetPurposes.map(create)) as Record<SubnetPurpose, string>;
  }

  private routeTable(name: string, id: string): string {
    const table = new CfnRouteTable(this, `Routes-${id}`, { vpcId: this.vpcId });
    Tags.of(table).add("Name", name);
    return table.ref;
  }

  private natGateway(zone: string, subnetId: string): CfnNatGateway {
    const address = new CfnEIP(this, `NatAddress-${zone}`, { domain: "vpc" });
    return new CfnNatGateway(this, `NatGateway-${zone}`, {
      subnetId,
      allocationId: address.attrAllocationId,
    });
  }
}

/** A logical id of letters and digits, such as `SubnetNodeUsEast1a`. */
export const idOf = (...words: readonly string[]): string =>
  words
    .flatMap((word) => word.split("-"))
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
