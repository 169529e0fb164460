import {
  CreateLaunchTemplateVersionCommand,
  DescribeImagesCommand,
  RunInstancesCommand,
  type ResponseLaunchTemplateData,
  type RunInstancesCommandInput,
} from "@aws-sdk/client-ec2";
import { gzipSync } from "node:zlib";
import { Failure, messageOf } from "../core/failure.ts";
import type { Target } from "../target/target.ts";
import { readConfiguration } from "./configuration.ts";
import { clusterTag } from "../../bootstrap/aws/tags.ts";

export type Launch = {
  readonly imageId: string;
  readonly configurationFile: string;
  /** Brings everything but image and user-data: subnet, security groups, instance type and profile. */
  readonly template: string;
  readonly name: string | undefined;
  /** Another subnet than the template's. */
  readonly subnetId?: string | undefined;
};

export type Launched = { readonly instanceId: string; readonly templateVersion: string };

/** EC2 takes this much user-data, before it is put into base64. */
const longestUserData = 16_384;

/** Makes a version of the launch template with this image and configuration, and starts an instance from it. */
export async function launch(target: Target, wanted: Launch): Promise<Launched> {
  const { configuration, text } = readConfiguration(wanted.configurationFile);
  await requireImage(target, wanted.imageId, configuration.chain);
  const template = wanted.template.startsWith("lt-")
    ? { LaunchTemplateId: wanted.template }
    : { LaunchTemplateName: wanted.template };
  const { version, data } = await makeVersion(target, template, {
    source: "$Default",
    imageId: wanted.imageId,
    userData: userDataOf(text),
  });
  const tags = [
    { Key: clusterTag, Value: configuration.cluster },
    { Key: "Name", Value: wanted.name ?? configuration.cluster },
  ];
  const { Instances } = await target.ec2.send(
    new RunInstancesCommand({
      LaunchTemplate: { ...template, Version: version },
      ...(wanted.subnetId !== undefined && inSubnet(wanted.subnetId, data)),
      MinCount: 1,
      MaxCount: 1,
      TagSpecifications: [{ ResourceType: "instance", Tags: tags }],
    }),
  );
  const instanceId = Instances?.[0]?.InstanceId;
  if (instanceId === undefined) throw new Error("EC2 started no instance");
  return { instanceId, templateVersion: version };
}

/**
 * Makes a version of a launch template with another image.
 * @param source the version that brings everything else
 * @param userData in base64; that of the source otherwise
 */
export async function makeVersion(
  target: Target,
  template: { LaunchTemplateId: string } | { LaunchTemplateName: string },
  wanted: { readonly source: string; readonly imageId: string; readonly userData?: string },
): Promise<{ readonly version: string; readonly data: ResponseLaunchTemplateData }> {
  try {
    const { LaunchTemplateVersion } = await target.ec2.send(
      new CreateLaunchTemplateVersionCommand({
        ...template,
        SourceVersion: wanted.source,
        VersionDescription: `${wanted.imageId} by eclair-ami`,
        LaunchTemplateData: {
          ImageId: wanted.imageId,
          ...(wanted.userData !== undefined && { UserData: wanted.userData }),
        },
      }),
    );
    return {
      version: String(LaunchTemplateVersion?.VersionNumber),
      data: LaunchTemplateVersion?.LaunchTemplateData ?? {},
    };
  } catch (error) {
    throw new Failure({
      code: "launch.template",
      doing: `making a version of the launch template ${Object.values(template).join("")}`,
      cause: messageOf(error),
      remedy: "name a launch template of this region with --template",
    });
  }
}

/** A subnet stands with the network interface where there is one; RunInstances then wants all of that anew. */
export function inSubnet(
  SubnetId: string,
  { NetworkInterfaces = [] }: ResponseLaunchTemplateData,
): Pick<RunInstancesCommandInput, "SubnetId" | "NetworkInterfaces"> {
  if (NetworkInterfaces.length === 0) return { SubnetId };
  return {
    NetworkInterfaces: NetworkInterfaces.map((one) => (one.DeviceIndex === 0 ? { ...one, SubnetId } : one)),
  };
}

/**
 * An image that holds a stand-in, or was not verified, must never come near money.
 * @returns its tags
 */
export async function requireImage(
  target: Target,
  imageId: string,
  chain: string,
): Promise<ReadonlyMap<string, string>> {
  const found = await target.ec2
    .send(new DescribeImagesCommand({ ImageIds: [imageId] }))
    .catch((error: unknown) =>
      error instanceof Error && /NotFound|Malformed/.test(error.name)
        ? undefined
        : Promise.reject(error as Error),
    );
  const image = found?.Images?.[0];
  if (image === undefined)
    throw new Failure({
      code: "launch.image",
      doing: `looking for the image ${imageId}`,
      cause: "there is none of that id here",
      remedy: "`eclair-ami images` lists the images baked so far",
      exit: 2,
    });
  const tags = new Map(image.Tags?.map(({ Key = "", Value = "" }) => [Key, Value]));
  if (chain !== "mainnet" || tags.get("Release") === "true") return tags;
  throw new Failure({
    code: "launch.release",
    doing: `launching ${imageId} on mainnet`,
    cause: `it is not for release: ${tags.get("ReleaseReason") ?? "it carries no Release tag"}`,
    remedy: "bake an image from the pinned releases",
  });
}

/** A configuration as EC2 takes it. */
export function userDataOf(text: string): string {
  const plain = Buffer.from(text);
  const data = plain.length > longestUserData ? gzipSync(plain) : plain;
  if (data.length > longestUserData)
    throw new Failure({
      code: "launch.user-data",
      doing: "preparing the user-data",
      cause: `it has ${data.length} bytes compressed, and EC2 takes ${longestUserData}`,
      remedy: "take comments and settings out of the configuration",
      exit: 2,
    });
  return data.toString("base64");
}
