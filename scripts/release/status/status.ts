import { architectures, type Architecture } from "../../../infra/architecture.ts";
import type { Target } from "../../target/target.ts";
import { imageParameter, readParameter } from "../channels/parameters.ts";
import { describe } from "../channels/channel-change.ts";
import type { Release } from "../document/schema.ts";
import { currentVersion, readChannels, type ChannelDocument } from "../store/channel.ts";
import type { ReleaseStore } from "../store/store.ts";
import { imagesOf, incompleteness, readVersions, type VersionDocument } from "../store/version.ts";

/** What a channel has in one region, for one architecture. */
export type ChannelCell = {
  readonly region: string;
  readonly architecture: Architecture;
  /** Undefined when the parameter does not exist. */
  readonly imageId: string | undefined;
  /** The version of the image; undefined when the image belongs to no version. */
  readonly version: string | undefined;
  readonly problem: string | undefined;
};

export type ChannelStatus = {
  readonly channel: string;
  readonly version: string | null;
  /** `mixed`: the regions do not have the same version. */
  readonly state: "empty" | "ok" | "mixed" | "changing";
  /** A change that is in progress or was interrupted. */
  readonly change: string | undefined;
  readonly lastChange: ChannelDocument["history"][number] | undefined;
  readonly cells: readonly ChannelCell[];
};

export type VersionStatus = {
  readonly version: string;
  readonly state: "published" | "incomplete" | "withdrawn" | "disabled" | "removed";
  readonly detail: string | undefined;
  readonly createdAt: string;
  readonly release: boolean;
  readonly architectures: readonly string[];
  readonly channels: readonly string[];
};

export type ReleaseStatus = {
  readonly readAt: string;
  readonly regions: readonly string[];
  readonly channels: readonly ChannelStatus[];
  /** The newest first. */
  readonly versions: readonly VersionStatus[];
};

/** What the bucket says and what the parameters of each region contain. */
export async function releaseStatus(
  target: Target,
  store: ReleaseStore,
  release: Release,
): Promise<ReleaseStatus> {
  const versions = await readVersions(store);
  const documents = await readChannels(store, release.channels);
  const channels = await Promise.all(
    documents.map(async (document) =>
      channelStatus(document, versions, await readCells(target, release, document, versions)),
    ),
  );
  return {
    readAt: new Date().toISOString(),
    regions: Object.keys(release.regions),
    channels,
    versions: versions.toReversed().map((document) => versionStatus(document, release, channels)),
  };
}

type Found = Pick<ChannelCell, "region" | "architecture" | "imageId">;

async function readCells(
  target: Target,
  { regions, parameterPrefix }: Release,
  { channel }: ChannelDocument,
  versions: readonly VersionDocument[],
): Promise<Found[]> {
  const used = new Set(versions.flatMap(imagesOf).map(({ architecture }) => architecture));
  const wanted = Object.keys(regions).flatMap((region) =>
    architectures.filter((one) => used.has(one)).map((architecture) => ({ region, architecture })),
  );
  return await Promise.all(
    wanted.map(async ({ region, architecture }) => ({
      region,
      architecture,
      imageId: await readParameter(target, region, imageParameter(parameterPrefix, channel, architecture)),
    })),
  );
}

/** Compares the parameters of a channel with its document. */
export function channelStatus(
  document: ChannelDocument,
  versions: readonly VersionDocument[],
  found: readonly Found[],
): ChannelStatus {
  const version = currentVersion(document);
  const places = versions.flatMap((one) => imagesOf(one).map((place) => ({ ...place, version: one })));
  const expected = versions.find((one) => one.version === version);
  const cells = found.map((cell): ChannelCell => {
    const owner = places.find(
      ({ region, image }) => region === cell.region && image.imageId === cell.imageId,
    );
    const hasImage = expected?.architectures[cell.architecture] !== undefined;
    return { ...cell, version: owner?.version.version, problem: problemOf(cell, owner?.version, hasImage) };
  });
  const versionsIn = architectures.map((architecture) => {
    const ofArchitecture = cells.filter((cell) => cell.architecture === architecture);
    const isUsed =
      expected?.architectures[architecture] !== undefined ||
      ofArchitecture.some((cell) => cell.imageId !== undefined);
    return new Set(isUsed ? ofArchitecture.map((cell) => cell.version ?? cell.imageId ?? null) : []);
  });
  const differs = versionsIn.some((seen) => seen.size > 1);
  const isOther = versionsIn.some((seen) => [...seen].some((one) => one !== version));
  return {
    channel: document.channel,
    version,
    state: stateOf(document, differs, isOther),
    change: document.change === undefined ? undefined : describe(document.change),
    lastChange: document.history.at(-1),
    cells,
  };
}

/** @param isOther whether a region has something else than the version of the document */
function stateOf(document: ChannelDocument, differs: boolean, isOther: boolean): ChannelStatus["state"] {
  if (document.change !== undefined) return differs ? "mixed" : "changing";
  if (differs || isOther) return "mixed";
  return currentVersion(document) === null ? "empty" : "ok";
}

function problemOf(
  { imageId }: Found,
  owner: VersionDocument | undefined,
  isExpected: boolean,
): string | undefined {
  if (imageId === undefined) return isExpected ? "the parameter is missing" : undefined;
  if (owner === undefined) return "the image belongs to no version";
  if (owner.withdrawn !== undefined) return `withdrawn: ${owner.withdrawn.reason}`;
  return undefined;
}

/** The state of one version. */
export function versionStatus(
  document: VersionDocument,
  release: Release,
  channels: readonly ChannelStatus[],
): VersionStatus {
  const { version, createdAt, withdrawn, removed } = document;
  const missing = incompleteness(document, release);
  const state =
    removed !== undefined
      ? "removed"
      : withdrawn?.disabledAt !== undefined
        ? "disabled"
        : withdrawn !== undefined
          ? "withdrawn"
          : missing !== undefined
            ? "incomplete"
            : "published";
  const byArchitecture = Object.entries(document.architectures);
  return {
    ...{ version, state, createdAt },
    detail: withdrawn?.reason ?? (state === "incomplete" ? missing : undefined),
    release: byArchitecture.every(([, one]) => one.release),
    architectures: byArchitecture.map(([architecture]) => architecture),
    channels: channels.flatMap((channel) =>
      channel.cells.some((cell) => cell.version === version) ? [channel.channel] : [],
    ),
  };
}
