import { canFollow } from "../../../bootstrap/contract/eclair/versions.ts";
import type { ErrorCode } from "../../../bootstrap/contract/error-codes.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Release } from "../document/schema.ts";
import { currentVersion, versionsOf, type ChannelDocument } from "../store/channel.ts";
import { compareReleases, incompleteness, type VersionDocument } from "../store/version.ts";

/**
 * Whether a version may be promoted to a channel.
 * @param versions all versions
 * @throws EclairAmiError with the reason why not
 */
export function requirePromotable(
  version: string,
  channel: ChannelDocument,
  versions: readonly VersionDocument[],
  release: Release,
  rollback: boolean,
): VersionDocument {
  const refuse = (code: ErrorCode, message: string, remedy: string) =>
    new EclairAmiError({
      ...{ code, message, remedy, exitCode: 2 },
      operation: `promoting ${version} to ${channel.channel}`,
    });
  const document = requireVersion(versions, version);
  if (document.removed !== undefined)
    throw refuse(
      "release.image-missing",
      "`prune` removed the images of this version",
      "publish the image again",
    );
  if (document.withdrawn !== undefined)
    throw refuse(
      "release.withdrawn",
      `the version was withdrawn: ${document.withdrawn.reason}`,
      "promote another version",
    );
  const missing = incompleteness(document, release);
  if (missing !== undefined)
    throw refuse(
      "release.version-incomplete",
      missing,
      "run `eclair-ami release publish` again for this version, without --no-test",
    );
  // The databases of the nodes have the schemas of the last version, also after the channel was emptied.
  const last = currentVersion(channel) ?? versionsOf(channel).find((one) => one !== channel.change?.to);
  const current = versions.find((one) => one.version === last);
  if (current === undefined) return document;
  const lost = Object.keys(current.architectures).filter(
    (architecture) => !Object.hasOwn(document.architectures, architecture),
  );
  if (lost.length > 0 && currentVersion(channel) !== null)
    throw refuse(
      "release.architecture-missing",
      `the channel has ${current.version} for ${lost.join(", ")}, and this version has no such image`,
      `publish an image for ${lost.join(", ")} with --version ${version}`,
    );
  if (compareReleases(version, current.version) < 0 && !rollback)
    throw refuse(
      "release.older-version",
      `the channel has, or had last, the newer version ${current.version}`,
      "pass --rollback to return to the older version",
    );
  if (!canFollow(document.eclair, current.eclair))
    throw refuse(
      "release.schemas-incompatible",
      `nodes that ran ${current.version} (Eclair ${current.eclair}) cannot run Eclair ${document.eclair}: it is older than the schemas of their databases`,
      "promote a version with that Eclair or a later one",
    );
  return document;
}

export function requireVersion(versions: readonly VersionDocument[], version: string): VersionDocument {
  const found = versions.find((one) => one.version === version);
  if (found !== undefined) return found;
  throw new EclairAmiError({
    code: "release.version-unknown",
    operation: `reading the version ${version}`,
    message: "the bucket contains no version with that name",
    remedy: "list the versions with `eclair-ami release status`",
    exitCode: 2,
  });
}

export type ChannelReturn = {
  readonly channel: string;
  /** Null when the channel is emptied. */
  readonly to: string | null;
  readonly reason: string;
};

/**
 * What happens to the channels when a version is withdrawn: a channel with this version returns to its previous version
 * when the Eclair of that version can run on the schemas that this version leaves, and is emptied otherwise.
 */
export function planReturns(
  withdrawn: VersionDocument,
  channels: readonly ChannelDocument[],
  versions: readonly VersionDocument[],
  release: Release,
): ChannelReturn[] {
  return channels.flatMap((channel): ChannelReturn[] => {
    const uses = currentVersion(channel) === withdrawn.version || channel.change?.to === withdrawn.version;
    if (!uses) return [];
    const earlier = versionsOf(channel).filter((version) => version !== withdrawn.version);
    const candidates = earlier.flatMap((name) => versions.find(({ version }) => version === name) ?? []);
    const usable = candidates.find(
      (one) =>
        one.withdrawn === undefined &&
        one.removed === undefined &&
        incompleteness(one, release) === undefined,
    );
    const returnTo = (to: string | null, reason: string) => [{ channel: channel.channel, to, reason }];
    if (usable === undefined) return returnTo(null, "the channel has no earlier version that can be used");
    if (canFollow(usable.eclair, withdrawn.eclair)) return returnTo(usable.version, "the previous version");
    return returnTo(
      null,
      `Eclair ${usable.eclair} of ${usable.version} cannot run on the schemas of Eclair ${withdrawn.eclair}`,
    );
  });
}
