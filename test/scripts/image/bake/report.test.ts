import { expect, test } from "vitest";
import { bakeReport } from "../../../../scripts/image/bake/report.ts";
import { exampleManifest } from "../../../support/manifest.ts";

test("the report shows why an image is not for release, and the kind of each artifact", () => {
  const page = bakeReport(exampleManifest());
  expect(page).toContain("the image contains the stand-in Eclair");
  expect(page).toContain("0.13.0 (stand-in)");
  expect(page).toContain("29.4 (debian)");
  expect(page).toContain("systemd is up");
});

test("a value in the report cannot contain markup", () => {
  expect(bakeReport(exampleManifest({ releaseReason: "<script>" }))).not.toContain("<script>");
});
