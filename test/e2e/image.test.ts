import { DescribeImagesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, inject, test } from "vitest";
import { tags } from "../../bootstrap/contract/tags.ts";
import { Manifest, manifestSchema } from "../../scripts/image/manifest.ts";
import { labPaths } from "../../scripts/lab/paths.ts";
import { labTarget } from "../../scripts/lab/target.ts";
import { cli } from "./cli.ts";

const manifestFile = inject("manifestFile");
const manifest = Manifest.parse(JSON.parse(readFileSync(manifestFile, "utf8")));
const state = inject("labState");

test("the manifest is valid for its published schema and lists the packages of the image", () => {
  const check = new Ajv2020({ formats: { "date-time": true } }).compile(manifestSchema() as object);
  expect(check(JSON.parse(readFileSync(manifestFile, "utf8"))), JSON.stringify(check.errors)).toBe(true);
  const names = manifest.packages.map((item) => item.name);
  expect(names).toEqual(expect.arrayContaining(["openjdk-25-jre-headless", "chrony", "nftables", "systemd"]));
  expect(names).not.toContain("unattended-upgrades");
  expect(manifest.validation).toEqual({ passed: true, detail: "nothing found" });
});

test("the image passed its test", () => {
  expect(manifest.imageTest.checks.filter((check) => !check.passed)).toEqual([]);
  expect(manifest.imageTest.checks.map((check) => check.name)).toEqual(
    expect.arrayContaining(["systemd is up", "bitcoind accepts blocks", "identity by IMDSv2"]),
  );
});

test("an image with the stand-in Eclair is not for release, and its tags contain the reason", async () => {
  expect(manifest.release).toBe(false);
  const { Images } = await labTarget(labPaths(state))
    .client(EC2Client)
    .send(new DescribeImagesCommand({ ImageIds: [manifest.image.id] }));
  const imageTags = new Map(Images?.[0]?.Tags?.map((tag) => [tag.Key, tag.Value]));
  expect(imageTags.get(tags.release)).toBe("false");
  expect(imageTags.get(tags.releaseReason)).toMatch(/stand-in/);
  expect(imageTags.get(tags.imageTest)).toBe("passed");
});

test("Packer's amazon-ebs builder created the image from Debian's AMI", () => {
  const log = readFileSync(join(dirname(manifestFile), "packer.log"), "utf8");
  expect(log).toMatch(/amazon-ebs\.eclair/);
  expect(log).toMatch(/Found Image ID: ami-0deb1a00000000013/);
});

test("`images list` shows the image, and `images diff` finds no difference between the image and itself", async () => {
  const listed = await cli(["images", "list", "--json", "--state", state]);
  expect(JSON.parse(listed.stdout)).toEqual(
    expect.arrayContaining([expect.objectContaining({ id: manifest.image.id, release: false })]),
  );
  const diff = await cli(["images", "diff", manifest.bakeId, manifest.bakeId, "--json"]);
  expect(JSON.parse(diff.stdout)).toEqual([]);
});
