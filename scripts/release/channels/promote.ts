import { currentVersion, type ChannelDocument } from "../store/channel.ts";
import { readVersions } from "../store/version.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Release } from "../document/schema.ts";
import type { WantedChange } from "./channel-change.ts";
import { requirePromotable } from "./decide.ts";
import { moveChannel, type Move } from "./move.ts";

export type Promotion = {
  readonly version: string;
  readonly channel: string;
  readonly rollback: boolean;
  readonly by: string;
  readonly reason?: string | undefined;
};

/**
 * Moves a channel to a version in all regions.
 * @returns whether the channel was changed
 */
export async function promote(move: Move, promotion: Promotion): Promise<boolean> {
  const { store, release } = move;
  const { version, channel, rollback, by, reason } = promotion;
  requireChannel(release, channel);
  const wantedFor = async (document: ChannelDocument): Promise<WantedChange | undefined> => {
    const { change } = document;
    if (change === undefined && currentVersion(document) === version) return undefined;
    const reverts = change?.from === version;
    // The return to the version before an unfinished change is no rollback of a completed one.
    requirePromotable(version, document, await readVersions(store), release, rollback || reverts);
    const kind = reverts ? "revert" : rollback ? "rollback" : "promote";
    return { kind, to: version, by, ...(reason !== undefined && { reason }) };
  };
  return await moveChannel(move, channel, wantedFor);
}

export function requireChannel({ channels }: Release, channel: string): void {
  if (channels.includes(channel)) return;
  throw new EclairAmiError({
    code: "release.channel-unknown",
    operation: `reading the channel ${channel}`,
    message: `the release document has the channels ${channels.join(", ")}`,
    remedy: "name one of them, or add the channel to the release document",
    exitCode: 2,
  });
}
