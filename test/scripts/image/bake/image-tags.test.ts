import { expect, test } from "vitest";
import { testedImageTags } from "../../../../scripts/image/bake/image-tags.ts";
import { exampleManifest } from "../../../support/manifest.ts";

test("the tags of an image with the stand-in Eclair say that it is not for release, and why", () => {
  expect(testedImageTags(exampleManifest())).toEqual({
    "eclair-ami:image-test": "passed",
    "eclair-ami:release": "false",
    "eclair-ami:release-reason": "the image contains the stand-in Eclair",
  });
});

test("a reason that is longer than a tag is shortened", () => {
  const tags = testedImageTags(exampleManifest({ releaseReason: "x".repeat(300) }));
  expect(tags["eclair-ami:release-reason"]).toHaveLength(255);
});
