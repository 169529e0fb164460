import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { manifestFileOf, readManifest } from "../../image/build-folder.ts";
import { Publication } from "../../release/publish/publication.ts";
import { publishTasks } from "../../release/publish/publish.ts";
import { imagesOf } from "../../release/store/version.ts";
import { withCallCounts } from "../../target/call-counts.ts";
import { interruptSignal } from "../../ui/interrupt.ts";
import { choosePresentation, emit, runTasks } from "../../ui/tasks.ts";
import { ReleaseStore } from "../../release/store/store.ts";
import { openRelease, withRelease, type ReleaseFlags } from "./release-flags.ts";

type Flags = ReleaseFlags & {
  readonly manifest?: string;
  readonly version?: string;
  readonly test: boolean;
  readonly json: boolean;
};

export function addPublish(release: Command): void {
  withRelease(release.command("publish <image>"))
    .description("copy an image to every region, test it there, and share it; an interrupted run continues")
    .option("--manifest <file>", "the manifest of the image (default: the one in the build folder)")
    .option("--version <version>", "a version such as 0.13.0-2, e.g. to add an architecture")
    .option("--no-test", "publish without an image test; such a version cannot be promoted")
    .option("--json", "print JSON events, one per line", false)
    .action(publish);
}

async function publish(image: string, flags: Flags): Promise<void> {
  const opened = await openRelease(flags);
  const { target, counts } = withCallCounts(opened.target);
  const { release } = opened;
  const file = flags.manifest === undefined ? manifestFileOf(image) : resolve(flags.manifest);
  const manifest = readManifest(file);
  const signal = interruptSignal("interrupted: run the command again to continue\n");
  const publication = new Publication({
    ...{ target, release, manifest, signal },
    manifestText: readFileSync(file, "utf8"),
    store: new ReleaseStore(target, release),
    skipTest: !flags.test,
    by: opened.by,
    ...(flags.version !== undefined && { version: flags.version }),
  });
  requireManifestOf(image, manifest.image.id, manifest.bakeId, file);
  const presentation = choosePresentation(flags.json, process.stdout.isTTY);
  const started = performance.now();
  await runTasks(publishTasks(), publication, presentation, signal);
  const images = imagesOf(await publication.document()).filter(
    ({ architecture }) => architecture === publication.architecture,
  );
  const calls = Object.fromEntries(counts);
  const durationSeconds = Math.round((performance.now() - started) / 100) / 10;
  if (presentation === "json")
    return emit({
      event: "publish.succeeded",
      version: publication.version,
      images: Object.fromEntries(images.map((one) => [one.region, one.image.imageId])),
      durationSeconds,
      calls,
    });
  console.log(`version    ${publication.version} (${publication.architecture})`);
  for (const one of images) console.log(`image      ${one.region}: ${one.image.imageId}`);
  console.log(`duration   ${durationSeconds.toFixed(1)} s`);
  console.log(
    `API calls  ${Object.entries(calls)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ")}`,
  );
  console.log(`next       eclair-ami release promote ${publication.version} --to ${release.channels[0]}`);
}

function requireManifestOf(image: string, imageId: string, bakeId: string, file: string): void {
  if (image === imageId || image === bakeId) return;
  throw new EclairAmiError({
    code: "release.manifest-mismatch",
    operation: `reading ${file}`,
    message: `the manifest belongs to ${imageId} of the bake ${bakeId}, not to ${image}`,
    remedy: "name the manifest of this image: it is in the folder of its bake",
    exitCode: 2,
  });
}
