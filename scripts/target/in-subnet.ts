import type { ResponseLaunchTemplateData, RunInstancesCommandInput } from "@aws-sdk/client-ec2";

/**
 * The parameters that replace the subnet of a launch template. A template with network interfaces has its subnet in an
 * interface, and RunInstances then requires the complete list of interfaces.
 */
export function inSubnet(
  SubnetId: string,
  { NetworkInterfaces = [] }: ResponseLaunchTemplateData,
): Pick<RunInstancesCommandInput, "SubnetId" | "NetworkInterfaces"> {
  if (NetworkInterfaces.length === 0) return { SubnetId };
  return {
    NetworkInterfaces: NetworkInterfaces.map((one) => (one.DeviceIndex === 0 ? { ...one, SubnetId } : one)),
  };
}
