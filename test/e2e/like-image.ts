import {
  CreateImageCommand,
  CreateTagsCommand,
  DescribeImagesCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import type { Target } from "../../scripts/target/target.ts";
import { inGuest, waitForBoot } from "./cli.ts";

/** Creates a copy of an image with its tags, changed by a script. */
export async function likeImage(
  state: string,
  target: Target,
  imageId: string,
  script = "true",
): Promise<string> {
  const ec2 = target.client(EC2Client);
  const { Instances } = await ec2.send(
    new RunInstancesCommand({
      ImageId: imageId,
      MinCount: 1,
      MaxCount: 1,
      InstanceType: "t3.medium",
      SubnetId: target.instance.subnetId,
      MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
    }),
  );
  const id = Instances?.[0]?.InstanceId ?? "";
  await waitForBoot(state, id);
  await inGuest(state, id, `${script}; sync`);
  const { ImageId = "" } = await ec2.send(
    new CreateImageCommand({ InstanceId: id, Name: `like ${imageId}: ${id}` }),
  );
  const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }));
  await ec2.send(new CreateTagsCommand({ Resources: [ImageId], Tags: Images?.[0]?.Tags ?? [] }));
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  return ImageId;
}
