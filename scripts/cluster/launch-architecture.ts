import {
  DescribeInstanceTypesCommand,
  DescribeLaunchTemplateVersionsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { architectures, type Architecture } from "../../infra/architecture.ts";
import type { Target } from "../target/target.ts";
import { templateReference } from "./launch.ts";

/** The architecture of the instance type of a launch template. */
export async function architectureOf(
  target: Target,
  template: { readonly name: string; readonly version: string },
): Promise<Architecture> {
  const ec2 = target.client(EC2Client);
  const { LaunchTemplateVersions } = await ec2.send(
    new DescribeLaunchTemplateVersionsCommand({
      ...templateReference(template.name),
      Versions: [template.version],
    }),
  );
  const type = LaunchTemplateVersions?.[0]?.LaunchTemplateData?.InstanceType;
  const found =
    type === undefined
      ? undefined
      : (await ec2.send(new DescribeInstanceTypesCommand({ InstanceTypes: [type] }))).InstanceTypes?.[0]
          ?.ProcessorInfo?.SupportedArchitectures;
  const architecture = architectures.find((one) => found?.some((supported) => supported === one));
  if (architecture !== undefined) return architecture;
  throw new EclairAmiError({
    code: "launch.architecture-unknown",
    operation: `reading the instance type of the launch template ${template.name}`,
    message:
      type === undefined ? "the launch template names no instance type" : `EC2 does not describe ${type}`,
    remedy: "pass --arch",
    exitCode: 2,
  });
}
