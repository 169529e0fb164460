import {
  CreateTagsCommand,
  DisableImageCommand,
  EC2Client,
  EnableImageDeprecationCommand,
} from "@aws-sdk/client-ec2";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { ec2Tags } from "../../image/bake/image-tags.ts";
import { findImage } from "../images.ts";
import { accountUses, otherAccountUses } from "../prune/usage.ts";
import { requireRegions } from "../regions.ts";
import { currentVersion, readChannels } from "../store/channel.ts";
import {
  imagesOf,
  readVersions,
  updateVersion,
  type ImagePlace,
  type VersionDocument,
} from "../store/version.ts";
import { planReturns, requireVersion, type ChannelReturn } from "./decide.ts";
import { moveChannel, type Move } from "./move.ts";

const maximumTagLength = 255;
/** EC2 accepts no date in the past, and rounds to minutes. */
const deprecateInMilliseconds = 60_000;

export type Withdrawal = {
  readonly version: string;
  readonly reason: string;
  readonly by: string;
  /** Also disables the images: nobody can launch them any more. */
  readonly disable: boolean;
};

/**
 * Withdraws a version: `promote` refuses the version, its images are deprecated and tagged in every region, and each channel
 * that has the version returns to its previous version. Every step can be repeated. A step that fails does not stop the others.
 * @returns what happened to the channels
 */
export async function withdraw(move: Move, withdrawal: Withdrawal): Promise<ChannelReturn[]> {
  const { store, release } = move;
  const { version, reason, by, disable } = withdrawal;
  requireVersion(await readVersions(store), version);
  const withdrawn = await updateVersion(store, version, (document) =>
    document.withdrawn === undefined
      ? { ...document, withdrawn: { at: new Date().toISOString(), by, reason } }
      : document,
  );
  const failures = new Map<string, unknown>();
  const attempt = async (subject: string, step: () => Promise<unknown>) => {
    try {
      await step();
    } catch (error) {
      failures.set(subject, error);
    }
  };
  const marking = markImages(move, imagesOf(withdrawn), withdrawn.withdrawn?.reason ?? reason, attempt);
  const versions = await readVersions(store);
  const returns = planReturns(withdrawn, await readChannels(store, release.channels), versions, release);
  for (const { channel, to } of returns)
    await attempt(`channel ${channel}`, () =>
      moveChannel(move, channel, async (document) => {
        const isMoved = document.change === undefined && currentVersion(document) !== version;
        return await Promise.resolve(isMoved ? undefined : { kind: "withdraw", to, by, reason });
      }),
    );
  await marking;
  requireRegions(failures, `withdrawing ${version}`);
  if (disable) await disableImages(move, withdrawn);
  return returns;
}

type Attempt = (subject: string, step: () => Promise<unknown>) => Promise<void>;

/** In all regions at the same time. An image that does not exist any more needs no mark. */
async function markImages(
  { target }: Pick<Move, "target">,
  images: readonly ImagePlace[],
  reason: string,
  attempt: Attempt,
): Promise<void> {
  await Promise.all(
    images.map(({ region, image }) =>
      attempt(`${region} (${image.imageId})`, async () => {
        const ec2 = target.client(EC2Client, { region });
        if ((await findImage(ec2, image.imageId)) === undefined) return;
        const Tags = ec2Tags({ [tags.withdrawn]: reason.slice(0, maximumTagLength) });
        await ec2.send(new CreateTagsCommand({ Resources: [image.imageId], Tags }));
        const DeprecateAt = new Date(Date.now() + deprecateInMilliseconds);
        await ec2.send(new EnableImageDeprecationCommand({ ImageId: image.imageId, DeprecateAt }));
      }),
    ),
  );
}

/** A disabled image loses its launch permissions, and a group that pins it could not replace a lost instance. */
async function disableImages(
  { target, store }: Pick<Move, "target" | "store">,
  document: VersionDocument,
): Promise<void> {
  const images = imagesOf(document);
  const uses: string[] = [];
  const since = Date.now();
  for (const { region, image } of images) {
    const account = await accountUses(target, region);
    const found = [
      ...(account.get(image.imageId) ?? []),
      ...(await otherAccountUses(target, region, image.imageId, since)),
    ];
    uses.push(...found.map((use) => `${region}: ${use} (${image.imageId})`));
  }
  if (uses.length > 0)
    throw new EclairAmiError({
      code: "release.image-in-use",
      operation: `disabling the images of ${document.version}`,
      message: uses.join("\n"),
      remedy:
        "replace the images of these groups, launch templates and instances, then run the command again. The version is withdrawn",
    });
  for (const { region, image } of images)
    await target.client(EC2Client, { region }).send(new DisableImageCommand({ ImageId: image.imageId }));
  await updateVersion(store, document.version, (current) => {
    if (current.withdrawn === undefined) throw new Error(`${document.version} is not withdrawn`);
    if (current.withdrawn.disabledAt !== undefined) return current;
    return { ...current, withdrawn: { ...current.withdrawn, disabledAt: new Date().toISOString() } };
  });
}
