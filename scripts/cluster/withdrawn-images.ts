import { DescribeImagesCommand, EC2Client, type Image } from "@aws-sdk/client-ec2";
import { tags } from "../../bootstrap/contract/tags.ts";
import type { Target } from "../target/target.ts";

/** What an operator must know about an image: it was withdrawn, or its date of deprecation is over. */
export function imageWarning(image: Image, now: number): string | undefined {
  const tagOf = (key: string) => image.Tags?.find(({ Key }) => Key === key)?.Value;
  const reason = tagOf(tags.withdrawn);
  const name = `${image.ImageId}${tagOf(tags.releaseVersion) === undefined ? "" : ` (${tagOf(tags.releaseVersion)})`}`;
  if (reason !== undefined) return `the image ${name} was withdrawn: ${reason}`;
  // Another account sees no tags, but the withdrawal deprecates the image.
  const { DeprecationTime } = image;
  return DeprecationTime !== undefined && Date.parse(DeprecationTime) <= now
    ? `the image ${name} is deprecated since ${DeprecationTime.slice(0, 10)}: its publisher may have withdrawn it`
    : undefined;
}

/** The warnings about the images of instances, each with the instances that run it. */
export async function withdrawnImageWarnings(
  target: Target,
  instances: readonly { readonly instanceId: string; readonly imageId: string }[],
): Promise<string[]> {
  const ids = [...new Set(instances.map(({ imageId }) => imageId))];
  if (ids.length === 0) return [];
  // By a filter: an image that was deregistered is no error.
  const { Images = [] } = await target.client(EC2Client).send(
    new DescribeImagesCommand({
      IncludeDeprecated: true,
      IncludeDisabled: true,
      Filters: [{ Name: "image-id", Values: ids }],
    }),
  );
  return Images.flatMap((image) => {
    const warning = imageWarning(image, Date.now());
    const users = instances.filter(({ imageId }) => imageId === image.ImageId);
    return warning === undefined
      ? []
      : [
          `${users.map(({ instanceId }) => instanceId).join(", ")}: ${warning}. Replace it with \`eclair-ami replace\``,
        ];
  });
}
