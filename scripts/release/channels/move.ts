import type { Target } from "../../target/target.ts";
import { requireRegions } from "../regions.ts";
import type { Release } from "../document/schema.ts";
import type { ChannelDocument } from "../store/channel.ts";
import type { ReleaseStore } from "../store/store.ts";
import { imagesOf, type VersionDocument } from "../store/version.ts";
import { OwnedChange, type ChangeOptions, type WantedChange } from "./channel-change.ts";
import { deleteParameters, imageParameter, readParameter, writeImageParameter } from "./parameters.ts";

const silentSeconds = { lab: 5, aws: 90 } as const;

export type Move = {
  readonly target: Target;
  readonly store: ReleaseStore;
  readonly release: Release;
  readonly versions: readonly VersionDocument[];
  /** Called for each region that has the new version. */
  readonly onRegion: (channel: string, region: string) => void;
  readonly onWait: ChangeOptions["onWait"];
};

/**
 * Moves a channel to another version in all regions, or empties it. Each region is written and read back.
 * @returns false when the channel had the version already
 * @throws EclairAmiError `release.regions-failed`; the next run finishes or reverts the change
 */
export async function moveChannel(
  move: Move,
  channel: string,
  wantedFor: (document: ChannelDocument) => WantedChange | undefined,
): Promise<boolean> {
  const { target, store, release, onWait } = move;
  const owned = await OwnedChange.begin(store, channel, wantedFor, {
    silentSeconds: silentSeconds[target.name],
    onWait,
  });
  if (owned === undefined) return false;
  const failures = new Map<string, unknown>();
  for (const region of Object.keys(release.regions)) {
    await owned.renew();
    try {
      await writeRegion(move, channel, region, owned.change.to);
      move.onRegion(channel, region);
    } catch (error) {
      failures.set(region, error);
      break;
    }
  }
  if (failures.size === 0) await owned.complete();
  else await owned.abandon();
  requireRegions(failures, `changing the channel ${channel}`);
  return true;
}

/** Writes the parameters of a channel in one region. */
async function writeRegion(
  { target, release: { parameterPrefix: prefix }, versions }: Move,
  channel: string,
  region: string,
  to: string | null,
): Promise<void> {
  const document = versions.find(({ version }) => version === to);
  const images = document === undefined ? [] : imagesOf(document).filter((one) => one.region === region);
  const wanted = new Map(images.map(({ architecture, image }) => [architecture, image.imageId]));
  const ours = new Set(versions.flatMap(imagesOf).map(({ image }) => image.imageId));
  for (const [architecture, imageId] of wanted) {
    const name = imageParameter(prefix, channel, architecture);
    const existing = await readParameter(target, region, name);
    // A value that is no image of any version belongs to another party.
    const overwrite = existing === undefined || ours.has(existing);
    await writeImageParameter(target, region, { name, imageId, overwrite });
  }
  const others = (["x86_64", "arm64"] as const).filter((architecture) => !wanted.has(architecture));
  const names = others.map((architecture) => imageParameter(prefix, channel, architecture));
  const existing = await Promise.all(
    names.map(async (name) => ({ name, value: await readParameter(target, region, name) })),
  );
  await deleteParameters(
    target,
    region,
    existing.flatMap(({ name, value }) => (value !== undefined && ours.has(value) ? [name] : [])),
  );
}
