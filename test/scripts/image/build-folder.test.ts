import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { manifestPath, readManifestOf } from "../../../scripts/image/build-folder.ts";
import { exampleManifest } from "../../support/manifest.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-build-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(bakeId: string, content: string): void {
  mkdirSync(join(folder, bakeId));
  writeFileSync(manifestPath(join(folder, bakeId)), content);
}

const oldFormat = JSON.stringify({ schemaVersion: 1, bakeId: "old", image: { id: "ami-old" }, testBoot: {} });

test("finds a manifest by image id and by bake id, beside damaged manifests and manifests of an older format", () => {
  write("a-old", oldFormat);
  write("b-damaged", "{");
  mkdirSync(join(folder, "c-incomplete"));
  write("new", JSON.stringify(exampleManifest({ bakeId: "new" })));
  expect(readManifestOf("new", folder).bakeId).toBe("new");
  expect(readManifestOf("ami-1", folder).bakeId).toBe("new");
});

test.each(["old", "ami-old"])(
  "refuses the manifest of an older format (%s) and asks for a new bake",
  (id) => {
    write("old", oldFormat);
    expect(() => readManifestOf(id, folder)).toThrow(
      expect.objectContaining({
        code: "image.incomplete",
        message: expect.stringMatching(
          /formatVersion is missing: another version of eclair-ami wrote it/,
        ) as string,
        remedy: "bake the image again with this version of eclair-ami",
      }),
    );
  },
);

test("refuses the manifest of a newer format", () => {
  write("new", JSON.stringify({ ...exampleManifest(), formatVersion: 2 }));
  expect(() => readManifestOf("new", folder)).toThrow(/formatVersion is 2: .* this version reads format 1/);
});

test("names the field of an invalid manifest", () => {
  write("new", JSON.stringify({ ...exampleManifest(), createdAt: "yesterday" }));
  expect(() => readManifestOf("new", folder)).toThrow(/createdAt/);
});

test("refuses an image without a manifest", () => {
  expect(() => readManifestOf("ami-2", join(folder, "missing"))).toThrow(
    expect.objectContaining({ code: "image.not-found", exitCode: 2 }),
  );
});
