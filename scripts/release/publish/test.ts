import { CreateTagsCommand, paginateDescribeInstances } from "@aws-sdk/client-ec2";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { ec2Tags } from "../../image/bake/image-tags.ts";
import { testImage } from "../../image/bake/image-test.ts";
import { allItems } from "../../target/pages.ts";
import { tokenOf } from "./copy.ts";
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
  const id = `${manifest.bakeId}-${region}`;
  const { result, durationSeconds } = await testImage(publication.targetIn(region), imageId, {
    id,
    tags: { [tags.bakeId]: manifest.bakeId },
    clientToken: tokenOf(id, imageId, String(await endedTests(publication, region, imageId))),
    keepOnFailure: false,
    signal: options.signal,
  });
  const failed = result.checks.filter((check) => !check.passed);
  if (!result.passed)
    throw failedTest(
      region,
      imageId,
      failed.map(({ name, detail }) => `${name}: ${detail}`),
    );
  const Tags = ec2Tags({ [tags.imageTest]: "passed" });
  await publication.ec2In(region).send(new CreateTagsCommand({ Resources: [imageId], Tags }));
  await record(publication, region, { state: "passed", at, durationSeconds });
}

/** The number of instances of this image that have ended: their token would return an ended instance. */
async function endedTests(publication: Publication, region: string, imageId: string): Promise<number> {
  const reservations = await allItems(
    paginateDescribeInstances(
      { client: publication.ec2In(region) },
      {
        Filters: [
          { Name: "image-id", Values: [imageId] },
          { Name: `tag:${tags.bakeId}`, Values: [publication.options.manifest.bakeId] },
          { Name: "instance-state-name", Values: ["shutting-down", "terminated"] },
        ],
      },
    ),
    ({ Reservations }) => Reservations,
  );
  return reservations.flatMap(({ Instances = [] }) => Instances).length;
}

type Test = NonNullable<Awaited<ReturnType<Publication["imageIn"]>>["test"]>;

async function record(publication: Publication, region: string, test: Test): Promise<void> {
  await publication.recordImage(region, (image) => {
    if (image === undefined) throw new Error(`${publication.version} has no image in ${region}`);
    return { ...image, test };
  });
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
