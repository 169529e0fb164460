import { expect, test } from "vitest";
import { diffManifests } from "../../../scripts/image/diff.ts";
import { exampleManifest } from "../../support/manifest.ts";

test("two equal images have no difference", () => {
  expect(diffManifests(exampleManifest(), exampleManifest({ bakeId: "another" }))).toEqual([]);
});

test("shows each difference of inputs, tools and packages", () => {
  const a = exampleManifest();
  const b = exampleManifest({
    inputs: { ...a.inputs, eclair: { ...a.inputs.eclair, version: "0.14.1" } },
    tools: { ...a.tools, packerPluginAmazon: "1.3.3" },
    packages: [
      { name: "systemd", version: "258", installedKibibytes: 1 },
      { name: "adduser", version: "3", installedKibibytes: 1 },
    ],
  });
  expect(diffManifests(a, b)).toEqual([
    { property: "eclair version", a: "0.13.0", b: "0.14.1" },
    { property: "tool packerPluginAmazon", a: "1.3.2", b: "1.3.3" },
    { property: "package adduser", a: "", b: "3" },
    { property: "package systemd", a: "257", b: "258" },
  ]);
});
