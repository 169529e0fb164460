import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { architectures } from "../../../infra/architecture.ts";
import type { Target } from "../../target/target.ts";
import type { Release } from "../document/schema.ts";
import { requireRegions } from "../regions.ts";
import type { ChannelDocument } from "../store/channel.ts";
import type { ReleaseStore } from "../store/store.ts";
import { imagesOf, readVersions, type VersionDocument } from "../store/version.ts";
import { OwnedChange, type ChangeOptions, type WantedChange } from "./channel-change.ts";
import { deleteParameters, imageParameter, readParameter, writeImageParameter } from "./parameters.ts";

/** Longer than the time that one parameter can take. */
const silentSeconds = { lab: 5, aws: 90 } as const;

export type Move = {
  readonly target: Target;
  readonly store: ReleaseStore;
  readonly release: Release;
  /** Called for each region that has the new version. */
  readonly onRegion: (channel: string, region: string) => void;
  readonly onWait: ChangeOptions["onWait"];
};

/**
 * Moves a channel to another version in all regions, or empties it. Each region is written and read back. A promotion stops at
 * the first region that fails; a withdrawal continues with the others.
 * @returns false when nothing was to do
 * @throws EclairAmiError `release.regions-failed`; the next run finishes or reverts the change
 */
export async function moveChannel(
  move: Move,
  channel: string,
  wantedFor: (document: ChannelDocument) => Promise<WantedChange | undefined>,
): Promise<boolean> {
  const { target, store, release, onWait } = move;
  const owned = await OwnedChange.begin(store, channel, wantedFor, {
    silentSeconds: silentSeconds[target.name],
    onWait,
  });
  if (owned === undefined) return false;
  const { to, kind } = owned.change;
  // `withdraw` and `prune` mark the version before they read the channels: one of both sides sees the other.
  const versions = await readVersions(store);
  const marked = versions.find(({ version }) => version === to);
  if (marked?.withdrawn !== undefined || marked?.removed !== undefined) {
    await owned.abandon(false);
    throw unusable(channel, marked);
  }
  const failures = new Map<string, unknown>();
  for (const region of Object.keys(release.regions)) {
    try {
      await writeRegion(move, owned, versions, channel, region);
      move.onRegion(channel, region);
    } catch (error) {
      failures.set(region, error);
      if (kind !== "withdraw") break;
    }
  }
  if (failures.size === 0) await requireMoved(move, versions, channel, to, failures);
  if (failures.size === 0) await owned.complete();
  else await owned.abandon(true);
  requireRegions(failures, `changing the channel ${channel}`);
  return true;
}

/** The image of a channel in one region, by architecture. */
function wantedImages(
  versions: readonly VersionDocument[],
  to: string | null,
  region: string,
): ReadonlyMap<string, string> {
  const document = versions.find(({ version }) => version === to);
  const images = document === undefined ? [] : imagesOf(document).filter((one) => one.region === region);
  return new Map(images.map(({ architecture, image }) => [architecture, image.imageId]));
}

/** Writes the parameters of a channel in one region. */
async function writeRegion(
  { target, release: { parameterPrefix: prefix } }: Move,
  owned: OwnedChange,
  versions: readonly VersionDocument[],
  channel: string,
  region: string,
): Promise<void> {
  const wanted = wantedImages(versions, owned.change.to, region);
  const ours = new Set(versions.flatMap(imagesOf).map(({ image }) => image.imageId));
  for (const architecture of architectures) {
    const name = imageParameter(prefix, channel, architecture);
    const imageId = wanted.get(architecture);
    const existing = await readParameter(target, region, name);
    if (existing === imageId) continue;
    await owned.renew();
    // A value that is no image of any version belongs to another party.
    const isOurs = existing === undefined || ours.has(existing);
    if (imageId !== undefined)
      await writeImageParameter(target, region, { name, imageId, overwrite: isOurs });
    else if (isOurs) await deleteParameters(target, region, [name]);
  }
}

/** Reads every region once more: a value of another process can arrive late. */
async function requireMoved(
  { target, release }: Move,
  versions: readonly VersionDocument[],
  channel: string,
  to: string | null,
  failures: Map<string, unknown>,
): Promise<void> {
  for (const region of Object.keys(release.regions))
    for (const [architecture, imageId] of wantedImages(versions, to, region)) {
      const name = imageParameter(release.parameterPrefix, channel, architecture);
      const found = await readParameter(target, region, name);
      if (found !== imageId)
        failures.set(
          region,
          new EclairAmiError({
            code: "release.channel-moving",
            operation: `reading ${name} in ${region}`,
            message: `the parameter has ${found ?? "no value"} again, and should have ${imageId}`,
            remedy:
              "another process changes the channel: read `eclair-ami release status`, then run the command again",
          }),
        );
    }
}

function unusable(channel: string, { version, withdrawn }: VersionDocument): EclairAmiError {
  return new EclairAmiError({
    code: withdrawn === undefined ? "release.image-missing" : "release.withdrawn",
    operation: `changing the channel ${channel}`,
    message:
      withdrawn === undefined
        ? `\`prune\` removes ${version} at this moment`
        : `${version} was withdrawn in the meantime: ${withdrawn.reason}`,
    remedy: "promote another version",
    exitCode: 2,
  });
}
