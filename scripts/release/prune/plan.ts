import type { Release } from "../document/schema.ts";
import { currentVersion, versionsOf, type ChannelDocument } from "../store/channel.ts";
import { imagesOf, type VersionDocument } from "../store/version.ts";

export type Pruned = {
  readonly version: string;
  /** Why the version is kept; empty when its images are removed. */
  readonly keptBecause: readonly string[];
};

/**
 * Which versions stay: the newest ones of each channel, those to which a channel can return, the newest ones at all, and
 * everything that is in use.
 * @param usesOf what uses the image of a region, also in other accounts
 * @param now in milliseconds since 1970
 */
export function planPruning(
  { retention }: Pick<Release, "retention">,
  versions: readonly VersionDocument[],
  channels: readonly ChannelDocument[],
  usesOf: (region: string, imageId: string) => readonly string[],
  now: number,
): Pruned[] {
  // No channel can return to a version that was withdrawn.
  const usable = new Set(
    versions.flatMap(({ version, withdrawn, removed }) =>
      withdrawn === undefined && removed === undefined ? [version] : [],
    ),
  );
  const newest = new Set([...usable].slice(Math.max(0, usable.size - retention.versions)));
  return versions
    .filter(({ removed }) => removed?.completedAt === undefined)
    .map((document) => {
      const { version } = document;
      const reasons = channels.flatMap((channel) => {
        const { change } = channel;
        if ([currentVersion(channel), change?.from, change?.to].includes(version))
          return [`the channel ${channel.channel} has it`];
        const kept = versionsOf(channel)
          .filter((name) => usable.has(name))
          .slice(0, Math.max(retention.versions, versionsToReturnTo));
        return kept.includes(version)
          ? [`it is one of the last ${kept.length} versions of the channel ${channel.channel}`]
          : [];
      });
      const uses = imagesOf(document).flatMap(({ region, image }) =>
        usesOf(region, image.imageId).map((use) => `${region}: ${use}`),
      );
      return {
        version,
        keptBecause: [
          ...reasons,
          ...(newest.has(version) ? [`it is one of the newest ${retention.versions} versions`] : []),
          ...(now - Date.parse(document.createdAt) < retention.launchedWithinDays * millisecondsPerDay
            ? [`it was published on ${document.createdAt.slice(0, 10)}`]
            : []),
          ...uses,
        ],
      };
    });
}

const millisecondsPerDay = 24 * 60 * 60 * 1000;

/** A channel keeps its version and the version to which it would return. */
const versionsToReturnTo = 2;
