import { Option, type Command } from "commander";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { architectureOf } from "../cluster/launch-architecture.ts";
import { hasOwnTags, type KnownImage } from "../cluster/launch.ts";
import { architectures, type Architecture } from "../../infra/architecture.ts";
import { factsAsTags } from "../release/channels/facts.ts";
import { defaultPrefix, readFacts, resolveChannel } from "../release/channels/resolve.ts";
import { asRole } from "../target/scoped.ts";
import type { Target } from "../target/target.ts";
import type { TargetFlags } from "./target-flags.ts";

export type ImageFlags = TargetFlags & {
  readonly image?: string;
  readonly channel?: string;
  readonly arch?: Architecture;
  readonly parameterPrefix?: string;
  readonly channelReaderRole?: string;
};

/** Adds the options that name an image: by its id, or by a channel. */
export const withImage = (command: Command, description: string): Command =>
  command
    .option("--image <id>", description)
    .option("--channel <name>", "instead of --image: the image that this channel has now")
    .addOption(
      new Option(
        "--arch <architecture>",
        "of the channel's image (default: that of the instance type)",
      ).choices(architectures),
    )
    .option(
      "--parameter-prefix <path>",
      `of the channel (default: ${defaultPrefix.aws}; in the lab, ${defaultPrefix.lab})`,
    )
    .option("--channel-reader-role <arn>", "the role that reads the channels of the publisher's account");

/**
 * The image that the options name. A channel is read once: nothing follows it afterwards.
 * @param template the launch template of the instances, by its id or name, and its version
 */
export async function imageOf(
  target: Target,
  flags: ImageFlags,
  template: { readonly name: string; readonly version: string },
): Promise<KnownImage> {
  const { image, channel } = flags;
  if ((image === undefined) === (channel === undefined))
    throw new EclairAmiError({
      code: "launch.image-missing",
      operation: "choosing the image",
      message: "either --image or --channel is required",
      remedy: "pass one of them",
      exitCode: 2,
    });
  if (image !== undefined) return await knownImage(target, flags, image);
  const facts = await resolveChannel(readerOf(target, flags), {
    channel: channel ?? "",
    architecture: flags.arch ?? (await architectureOf(target, template)),
    prefix: prefixOf(target, flags),
  });
  return { imageId: facts.imageId, tags: factsAsTags(facts) };
}

/**
 * An image by its id. The facts about a published image of another account, whose tags are not visible, are those that its
 * publisher wrote.
 */
export async function knownImage(target: Target, flags: ImageFlags, imageId: string): Promise<KnownImage> {
  if (await hasOwnTags(target, imageId)) return { imageId };
  const facts = await readFacts(readerOf(target, flags), prefixOf(target, flags), imageId);
  return facts === undefined ? { imageId } : { imageId, tags: factsAsTags(facts) };
}

const readerOf = (target: Target, flags: ImageFlags) =>
  asRole(target, flags.channelReaderRole ?? flags.roleArn);
const prefixOf = (target: Target, flags: ImageFlags) => flags.parameterPrefix ?? defaultPrefix[target.name];
