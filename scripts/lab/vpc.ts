import {
  CreateInternetGatewayCommand,
  AttachInternetGatewayCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteSubnetCommand,
  DescribeSubnetsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { region, vpcCidr, zones } from "./addresses.ts";

/** Creates a VPC with a subnet in each zone, and deletes the default subnets: no instance can use one by mistake. */
export async function createVpc(
  endpoint: string,
): Promise<{ vpcId: string; subnetIds: Record<string, string> }> {
  const ec2 = new EC2Client({
    region,
    endpoint,
    credentials: { accessKeyId: "lab", secretAccessKey: "lab" },
  });
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({}));
  for (const subnet of Subnets ?? []) await ec2.send(new DeleteSubnetCommand({ SubnetId: subnet.SubnetId }));

  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: vpcCidr }));
  const vpcId = Vpc?.VpcId ?? "";
  const { InternetGateway } = await ec2.send(new CreateInternetGatewayCommand({}));
  await ec2.send(
    new AttachInternetGatewayCommand({ VpcId: vpcId, InternetGatewayId: InternetGateway?.InternetGatewayId }),
  );
  const subnetIds: Record<string, string> = {};
  for (const zone of zones) {
    const { Subnet } = await ec2.send(
      new CreateSubnetCommand({ VpcId: vpcId, CidrBlock: zone.cidr, AvailabilityZone: zone.name }),
    );
    subnetIds[zone.name] = Subnet?.SubnetId ?? "";
  }
  return { vpcId, subnetIds };
}
