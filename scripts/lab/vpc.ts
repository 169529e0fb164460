import {
  CreateInternetGatewayCommand,
  AttachInternetGatewayCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteSubnetCommand,
  DescribeSubnetsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { home, otherZones, vpcCidr, zones, type Scope, type Zone } from "./addresses.ts";
import { administrator } from "./administrator.ts";

export type Network = { readonly vpcId: string; readonly subnetIds: Record<string, string> };

/** Creates the VPC of the clusters, with a subnet in each zone. */
export async function createHomeNetwork(endpoint: string): Promise<Network> {
  return await createVpc(endpoint, home, vpcCidr, zones);
}

/** Creates the VPCs of the other accounts and regions, with one subnet each. */
export async function createOtherNetworks(endpoint: string): Promise<(Scope & Network)[]> {
  const networks = [];
  for (const zone of otherZones) {
    const { accountId, region } = zone;
    networks.push({ accountId, region, ...(await createVpc(endpoint, zone, zone.cidr, [zone])) });
  }
  return networks;
}

/** Creates a VPC with its subnets, and deletes the default subnets: no instance can use one by mistake. */
async function createVpc(
  endpoint: string,
  { accountId, region }: Scope,
  CidrBlock: string,
  subnets: readonly Zone[],
): Promise<Network> {
  const ec2 = new EC2Client({ region, endpoint, credentials: administrator(accountId) });
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({}));
  for (const subnet of Subnets ?? []) await ec2.send(new DeleteSubnetCommand({ SubnetId: subnet.SubnetId }));

  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock }));
  const vpcId = Vpc?.VpcId ?? "";
  const { InternetGateway } = await ec2.send(new CreateInternetGatewayCommand({}));
  await ec2.send(
    new AttachInternetGatewayCommand({ VpcId: vpcId, InternetGatewayId: InternetGateway?.InternetGatewayId }),
  );
  const subnetIds: Record<string, string> = {};
  for (const zone of subnets) {
    const { Subnet } = await ec2.send(
      new CreateSubnetCommand({ VpcId: vpcId, CidrBlock: zone.subnetCidr, AvailabilityZone: zone.name }),
    );
    subnetIds[zone.name] = Subnet?.SubnetId ?? "";
  }
  return { vpcId, subnetIds };
}
