import type { Target } from "../../target/target.ts";
import { imageParameter } from "../channels/parameters.ts";
import type { Release } from "../document/schema.ts";
import { requireRegions } from "../regions.ts";
import { readChannels } from "../store/channel.ts";
import type { ReleaseStore } from "../store/store.ts";
import { imagesOf, readVersions, updateVersion, type VersionDocument } from "../store/version.ts";
import { planPruning, type Pruned } from "./plan.ts";
import { removeImages } from "./remove.ts";
import { accountUses, existingImages, launchedRecently, otherAccountUses } from "./usage.ts";

export type PruneOptions = {
  readonly target: Target;
  readonly release: Release;
  readonly store: ReleaseStore;
  readonly by: string;
  readonly dryRun: boolean;
};

/** A dry run uses a report of this age: EC2 can need minutes for a new one. */
const reportAgeMilliseconds = 60 * 60 * 1000;

/**
 * Removes the images of old versions that nothing uses. A version is marked first: from then on, no channel gets it. What uses
 * it is then read again, so that nothing that began before the mark is missed.
 */
export async function prune(options: PruneOptions): Promise<Pruned[]> {
  const { store, dryRun } = options;
  const before = await plan(options, Date.now() - (dryRun ? reportAgeMilliseconds : 0));
  if (dryRun) return before.map(({ pruned }) => pruned);
  const marked: VersionDocument[] = [];
  for (const { document, pruned } of before)
    if (pruned.keptBecause.length === 0) marked.push(await mark(options, document.version));
  const since = Math.min(Date.now(), ...marked.map(({ removed }) => Date.parse(removed?.at ?? "")));
  const after = marked.length === 0 ? before : await plan(options, since);
  const failures = new Map<string, unknown>();
  for (const { document, pruned } of after) {
    if (document.removed === undefined) continue;
    try {
      if (pruned.keptBecause.length > 0) await unmark(store, document.version);
      else await remove(options, document);
    } catch (error) {
      failures.set(document.version, error);
    }
  }
  requireRegions(failures, "removing old versions");
  return after.map(({ pruned }) => pruned);
}

type Planned = { readonly document: VersionDocument; readonly pruned: Pruned };

/** @param since the reports about other accounts must be newer, in milliseconds since 1970 */
async function plan(options: PruneOptions, since: number): Promise<Planned[]> {
  const { release, store } = options;
  const versions = await readVersions(store);
  const channels = await readChannels(store, release.channels);
  const planWith = (usesOf: (region: string, imageId: string) => readonly string[]) =>
    planPruning(release, versions, channels, usesOf, Date.now());
  const documentOf = (version: string) => versions.find((one) => one.version === version);
  const candidates = planWith(() => []).flatMap(({ version, keptBecause }) =>
    keptBecause.length === 0 ? (documentOf(version) ?? []) : [],
  );
  const uses = await readUses(options, candidates, since);
  return planWith((region, imageId) => uses.get(`${region} ${imageId}`) ?? []).flatMap((pruned) => {
    const document = documentOf(pruned.version);
    return document === undefined ? [] : [{ document, pruned }];
  });
}

/** What uses the images of candidates for removal. */
async function readUses(
  { target, release }: PruneOptions,
  candidates: readonly VersionDocument[],
  since: number,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const uses = new Map<string, readonly string[]>();
  const places = candidates.flatMap((document) =>
    imagesOf(document).map((place) => ({ document, ...place })),
  );
  for (const region of new Set(places.map((place) => place.region))) {
    const there = places.filter((place) => place.region === region);
    const account = await accountUses(target, region);
    const images = await existingImages(
      target,
      region,
      there.map(({ image }) => image.imageId),
    );
    for (const { document, architecture, image } of there) {
      const { imageId } = image;
      const found = images.get(imageId);
      // An image that somebody removed already is in nobody's use.
      if (found === undefined) continue;
      const parameter = imageParameter(release.parameterPrefix, document.version, architecture);
      const launched = launchedRecently(found, release.retention.launchedWithinDays, Date.now());
      uses.set(`${region} ${imageId}`, [
        ...(account.get(imageId) ?? []),
        ...parameterUses(account, parameter),
        ...(launched === undefined ? [] : [launched]),
        ...(await otherAccountUses(target, region, imageId, since)),
      ]);
    }
  }
  return uses;
}

/** The launch templates that name a parameter in place of an image: `resolve:ssm:NAME`, with or without `:VERSION`. */
const parameterUses = (account: ReadonlyMap<string, readonly string[]>, parameter: string): string[] =>
  [...account].flatMap(([image, found]) => {
    const name = `resolve:ssm:${parameter}`;
    return image === name || image.startsWith(`${name}:`) ? found : [];
  });

async function mark({ store, by }: PruneOptions, version: string): Promise<VersionDocument> {
  return await updateVersion(store, version, (current) =>
    current.removed === undefined ? { ...current, removed: { at: new Date().toISOString(), by } } : current,
  );
}

/** Something uses the version. When its removal has begun, it stays marked: its parameters may be deleted already. */
async function unmark(store: ReleaseStore, version: string): Promise<void> {
  await updateVersion(store, version, (current) => {
    const { removed, ...rest } = current;
    return removed?.begunAt === undefined ? rest : current;
  });
}

async function remove({ target, release, store }: PruneOptions, document: VersionDocument): Promise<void> {
  const note = (name: "begunAt" | "completedAt") =>
    updateVersion(store, document.version, (current) =>
      current.removed === undefined || current.removed[name] !== undefined
        ? current
        : { ...current, removed: { ...current.removed, [name]: new Date().toISOString() } },
    );
  await note("begunAt");
  await removeImages(target, release, document);
  await note("completedAt");
}
