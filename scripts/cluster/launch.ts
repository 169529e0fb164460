import {
  CreateLaunchTemplateVersionCommand,
  DescribeImagesCommand,
  EC2Client,
  RunInstancesCommand,
  type ResponseLaunchTemplateData,
} from "@aws-sdk/client-ec2";
import { gzipSync } from "node:zlib";
import { EclairAmiError, messageOf } from "../../bootstrap/contract/errors.ts";
import { tags } from "../../bootstrap/contract/tags.ts";
import { inSubnet } from "../target/in-subnet.ts";
import type { Target } from "../target/target.ts";
import { requireChainSnapshot } from "./chain/snapshots.ts";
import { readConfiguration } from "./configuration/read.ts";

/** An image, and its tags when they are known from elsewhere: another account than the owner sees none. */
export type KnownImage = { readonly imageId: string; readonly tags?: ReadonlyMap<string, string> };

export type Launch = {
  readonly image: KnownImage;
  readonly configurationFile: string;
  /** Supplies everything except image and user-data: subnet, security groups, instance type and instance profile. */
  readonly launchTemplate: string;
  readonly name: string | undefined;
  /** Replaces the subnet of the launch template. */
  readonly subnetId?: string | undefined;
};

export type Launched = { readonly instanceId: string; readonly templateVersion: string };

/**
 * The limit of EC2, before base64.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
 */
const maximumUserDataBytes = 16_384;

type TemplateReference = { LaunchTemplateId: string } | { LaunchTemplateName: string };

/** A launch template by its id or name. */
export const templateReference = (idOrName: string): TemplateReference =>
  idOrName.startsWith("lt-") ? { LaunchTemplateId: idOrName } : { LaunchTemplateName: idOrName };

/** Creates a version of the launch template with this image and configuration, and starts an instance from it. */
export async function launch(target: Target, wanted: Launch): Promise<Launched> {
  const { configuration, userData } = await readConfiguration(wanted.configurationFile);
  const imageTags = await requireImage(target, wanted.image, configuration.chain);
  await requireChainSnapshot(target, configuration, imageTags);
  const template = templateReference(wanted.launchTemplate);
  const { version, data } = await createTemplateVersion(target, template, {
    sourceVersion: "$Default",
    imageId: wanted.image.imageId,
    userData: userDataOf(userData),
  });
  const instanceTags = [
    { Key: tags.cluster, Value: configuration.cluster },
    { Key: "Name", Value: wanted.name ?? configuration.cluster },
  ];
  const { Instances } = await target.client(EC2Client).send(
    new RunInstancesCommand({
      LaunchTemplate: { ...template, Version: version },
      ...(wanted.subnetId !== undefined && inSubnet(wanted.subnetId, data)),
      MinCount: 1,
      MaxCount: 1,
      TagSpecifications: [{ ResourceType: "instance", Tags: instanceTags }],
    }),
  );
  const instanceId = Instances?.[0]?.InstanceId;
  if (instanceId === undefined) throw new Error("EC2 started no instance");
  return { instanceId, templateVersion: version };
}

/**
 * Creates a version of a launch template with another image.
 * @param wanted.sourceVersion the version that supplies everything else
 * @param wanted.userData in base64; without it, the user-data of the source version
 */
export async function createTemplateVersion(
  target: Target,
  template: TemplateReference,
  wanted: { readonly sourceVersion: string; readonly imageId: string; readonly userData?: string },
): Promise<{ readonly version: string; readonly data: ResponseLaunchTemplateData }> {
  try {
    const { LaunchTemplateVersion } = await target.client(EC2Client).send(
      new CreateLaunchTemplateVersionCommand({
        ...template,
        SourceVersion: wanted.sourceVersion,
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
    throw new EclairAmiError(
      {
        code: "launch.template-failed",
        operation: `creating a version of the launch template ${Object.values(template).join("")}`,
        message: messageOf(error),
        remedy: "name a launch template of this region with --launch-template",
      },
      { cause: error },
    );
  }
}

/** Whether an image has the tags of this project. Only the owner of an image sees its tags. */
export async function hasOwnTags(target: Target, imageId: string): Promise<boolean> {
  // By a filter: an image that does not exist is no error here.
  const { Images = [] } = await target.client(EC2Client).send(
    new DescribeImagesCommand({
      IncludeDeprecated: true,
      Filters: [{ Name: "image-id", Values: [imageId] }],
    }),
  );
  return Images.some(({ Tags = [] }) => Tags.some(({ Key }) => Key === tags.eclairVersion));
}

/**
 * Refuses an image that does not exist or that this project did not bake, and on mainnet an image that is not for release.
 * @returns the tags of the image
 */
export async function requireImage(
  target: Target,
  { imageId, tags: known = new Map<string, string>() }: KnownImage,
  chain: string,
): Promise<ReadonlyMap<string, string>> {
  const found = await target
    .client(EC2Client)
    .send(new DescribeImagesCommand({ ImageIds: [imageId] }))
    .catch((error: unknown) =>
      error instanceof Error && /NotFound|Malformed/.test(error.name)
        ? undefined
        : Promise.reject(error as Error),
    );
  const image = found?.Images?.[0];
  if (image === undefined)
    throw new EclairAmiError({
      code: "launch.image-not-found",
      operation: `reading the image ${imageId}`,
      message: "this account and region have no image with that id",
      remedy: "list the images with `eclair-ami images list`",
      exitCode: 2,
    });
  const imageTags = new Map([
    ...known,
    ...(image.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value] as const),
  ]);
  if (!imageTags.has(tags.eclairVersion))
    throw new EclairAmiError({
      code: "launch.foreign-image",
      operation: `launching ${imageId}`,
      message: `the image has no tag ${tags.eclairVersion}: eclair-ami did not bake it, or another account owns it, whose tags are not visible here`,
      remedy:
        "name an image of `eclair-ami images list`; for a published image of another account, name its channel with --channel, or pass --channel-reader-role",
      exitCode: 2,
    });
  if (chain !== "mainnet" || imageTags.get(tags.release) === "true") return imageTags;
  throw new EclairAmiError({
    code: "launch.not-for-release",
    operation: `launching ${imageId} on mainnet`,
    message: `the image is not for release: ${imageTags.get(tags.releaseReason) ?? `it has no tag ${tags.release}`}`,
    remedy: "bake an image from the pinned releases",
  });
}

/** A configuration as user-data in base64, compressed when it is too long otherwise. */
export function userDataOf(plain: Buffer): string {
  const data = plain.length > maximumUserDataBytes ? gzipSync(plain) : plain;
  if (data.length > maximumUserDataBytes)
    throw new EclairAmiError({
      code: "launch.user-data-too-large",
      operation: "preparing the user-data",
      message: `the user-data has ${data.length} bytes compressed, and EC2 accepts ${maximumUserDataBytes}`,
      remedy: "remove comments and settings from the configuration",
      exitCode: 2,
    });
  return data.toString("base64");
}
