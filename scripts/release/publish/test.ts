import { CreateTagsCommand } from "@aws-sdk/client-ec2";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { ec2Tags } from "../../image/bake/image-tags.ts";
import { testImage, type ImageTestRun } from "../../image/bake/image-test.ts";
import { tokenOf } from "./copy.ts";
import type { PublishedImage } from "../store/version.ts";
import type { Publication } from "./publication.ts";

/**
 * Tests the image of a region with an instance there, unless it has passed already. An instance of an interrupted run is
 * used again. The image of the bake itself was tested by the bake.
 */
export async function testInRegion(publication: Publication, region: string): Promise<void> {
  const { options } = publication;
  const { manifest, skipTest, by } = options;
  const { imageId, test } = await publication.imageIn(region);
  if (test?.state === "passed") return;
  const at = new Date().toISOString();
  if (imageId === manifest.image.id) {
    const { passed, durationSeconds } = manifest.imageTest;
    if (!passed) throw failedTest(region, imageId, ["the image test of the bake failed"]);
    return await record(publication, region, { state: "passed", at: manifest.createdAt, durationSeconds });
  }
  if (skipTest) return await record(publication, region, { state: "skipped", at, by });
  const { result, durationSeconds } = await runTest(publication, region, imageId);
  const failed = result.checks.filter((check) => !check.passed);
  if (!result.passed) {
    await countEndedTest(publication, region);
    throw failedTest(
      region,
      imageId,
      failed.map(({ name, detail }) => `${name}: ${detail}`),
    );
  }
  const Tags = ec2Tags({ [tags.imageTest]: "passed" });
  await publication.ec2In(region).send(new CreateTagsCommand({ Resources: [imageId], Tags }));
  await record(publication, region, { state: "passed", at, durationSeconds });
}

/** The instance of another process, or of an interrupted run, is used as well: its call has the same token. */
async function runTest(publication: Publication, region: string, imageId: string): Promise<ImageTestRun> {
  const { manifest, signal } = publication.options;
  const id = `${manifest.bakeId}-${region}`;
  for (;;) {
    const ended = (await publication.recorded()).endedTests[region] ?? 0;
    try {
      return await testImage(publication.targetIn(region), imageId, {
        id,
        tags: { [tags.bakeId]: manifest.bakeId },
        clientToken: tokenOf(id, imageId, String(ended)),
        keepOnFailure: false,
        signal,
        failure: {
          code: "release.image-test-failed",
          remedy:
            "read the console of the instance with `eclair-ami logs`; the image is not visible in this region. Run the command again to repeat the test",
        },
      });
    } catch (error) {
      await countEndedTest(publication, region);
      // EC2 remembers a token longer than the instance that it started.
      if (!(error instanceof Error && error.name === "IdempotentInstanceTerminated")) throw error;
    }
  }
}

/** The token of an instance that has ended is not used again. */
async function countEndedTest(publication: Publication, region: string): Promise<void> {
  await publication.record((current) => ({
    ...current,
    endedTests: { ...current.endedTests, [region]: (current.endedTests[region] ?? 0) + 1 },
  }));
}

type Test = NonNullable<PublishedImage["test"]>;

async function record(publication: Publication, region: string, test: Test): Promise<void> {
  await publication.updateImage(region, (image) => ({ ...image, test }));
}

function failedTest(region: string, imageId: string, checks: readonly string[]): EclairAmiError {
  return new EclairAmiError({
    code: "release.image-test-failed",
    operation: `testing ${imageId} in ${region}`,
    message: checks.join("; "),
    remedy:
      "the image is not shared and has no parameter in this region; correct the cause, then run the command again",
  });
}
