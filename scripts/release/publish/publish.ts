import type { ListrTask } from "listr2";
import { messageOf } from "../../../bootstrap/contract/errors.ts";
import { requireRegions } from "../regions.ts";
import { copyToRegion, waitForCopy } from "./copy.ts";
import type { Publication } from "./publication.ts";
import { writeManifest, writeParameters } from "./record.ts";
import { protectImage, shareImage } from "./share.ts";
import { checkSource, claimVersion } from "./source.ts";
import { testInRegion } from "./test.ts";
import { verifyImage } from "./verify.ts";

type Display = { title: string | undefined; output: string | undefined };
type RegionStep = (publication: Publication, region: string) => Promise<void>;

/** Each step first checks what exists, so that an interrupted publication continues. Consumers see nothing before the test. */
const regionSteps: readonly { readonly title: string; readonly step: RegionStep }[] = [
  { title: "Copy: to each region", step: copyToRegion },
  { title: "Wait: until each copy is available", step: waitForCopy },
  { title: "Verify: state, encryption, IMDSv2 and tags", step: verifyImage },
  { title: "Image test: an instance in each region", step: testInRegion },
  { title: "Protect: date of deprecation, and deregistration protection", step: protectImage },
  { title: "Share: snapshots, then launch permissions", step: shareImage },
  { title: "Parameters: write, and read back", step: writeParameters },
];

export function publishTasks(): ListrTask<Publication>[] {
  return [
    { title: "Check: image, manifest and tags", task: async (publication) => await checkSource(publication) },
    {
      title: "Version: claim",
      task: async (publication, task) => {
        await claimVersion(publication);
        task.title = `Version: ${publication.version} (${publication.architecture})`;
      },
    },
    ...regionSteps.map(({ title, step }) => ({
      title,
      task: async (publication: Publication, task: Display) =>
        await runInRegions(publication, title, step, task),
    })),
    {
      title: "Record: manifest and images",
      task: async (publication) => {
        await writeManifest(publication);
        requireRegions(publication.failures, `publishing ${publication.version}`);
      },
    },
  ];
}

async function runInRegions(
  publication: Publication,
  title: string,
  step: RegionStep,
  task: Display,
): Promise<void> {
  const done: string[] = [];
  await publication.inEachRegion(
    async (region) => {
      await step(publication, region);
      done.push(region);
      task.output = `${region}: done`;
    },
    (line) => (task.output = line),
  );
  const failed = [...publication.failures].map(([region, error]) => `${region} failed: ${messageOf(error)}`);
  task.title = `${title} (${[done.join(", "), ...failed].filter((text) => text !== "").join("; ")})`;
  // Without any region left, the rest would only repeat the error.
  if (publication.regions.length === 0)
    requireRegions(publication.failures, `publishing ${publication.version}`);
}
