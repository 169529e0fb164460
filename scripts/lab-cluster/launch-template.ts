import {
  CreateLaunchTemplateCommand,
  DescribeLaunchTemplatesCommand,
  EC2Client,
  type RequestLaunchTemplateData,
} from "@aws-sdk/client-ec2";
import { zones } from "../lab/addresses.ts";
import type { LabFacts } from "../lab/facts.ts";
import type { Target } from "../target/target.ts";
import { findOrCreate } from "./find-or-create.ts";

/** A launch template for instances in the first zone. */
export async function createLaunchTemplate(
  target: Target,
  facts: LabFacts,
  name: string,
  instanceProfileArn: string,
): Promise<void> {
  const ec2 = target.client(EC2Client);
  const data: RequestLaunchTemplateData = {
    InstanceType: target.instance.type as NonNullable<RequestLaunchTemplateData["InstanceType"]>,
    IamInstanceProfile: { Arn: instanceProfileArn },
    MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1, InstanceMetadataTags: "enabled" },
    InstanceInitiatedShutdownBehavior: "terminate",
    NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: facts.network?.subnetIds[zones[0]?.name ?? ""] }],
  };
  await findOrCreate(
    async () =>
      (await ec2.send(new DescribeLaunchTemplatesCommand({ LaunchTemplateNames: [name] })))
        .LaunchTemplates?.[0],
    async () => {
      const { LaunchTemplate } = await ec2.send(
        new CreateLaunchTemplateCommand({ LaunchTemplateName: name, LaunchTemplateData: data }),
      );
      return LaunchTemplate;
    },
  );
}
