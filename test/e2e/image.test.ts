import { DescribeImagesCommand } from "@aws-sdk/client-ec2";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, inject, test } from "vitest";
import { Manifest, manifestSchema } from "../../scripts/bake/manifest.ts";
import { labPlace } from "../../scripts/lab/place.ts";
import { labTarget } from "../../scripts/target/target.ts";
import { cli } from "./cli.ts";

const manifestFile = inject("manifestFile");
const manifest = Manifest.parse(JSON.parse(readFileSync(manifestFile, "utf8")));
const state = inject("labState");

test("the manifest keeps to its published schema and tells what went in", () => {
  const check = new Ajv2020({ formats: { "date-time": true } }).compile(manifestSchema() as object);
  expect(check(JSON.parse(readFileSync(manifestFile, "utf8"))), JSON.stringify(check.errors)).toBe(true);
  const names = manifest.packages.map((item) => item.name);
  expect(names).toEqual(expect.arrayContaining(["openjdk-25-jre-headless", "chrony", "nftables", "systemd"]));
  expect(names).not.toContain("unattended-upgrades");
  expect(manifest.validate).toEqual({ passed: true, detail: "nothing found" });
});

test("the test boot found the image sound", () => {
  expect(manifest.testBoot.checks.filter((check) => !check.passed)).toEqual([]);
  expect(manifest.testBoot.checks.map((check) => check.name)).toEqual(
    expect.arrayContaining(["systemd is up", "bitcoind takes blocks", "identity by IMDSv2"]),
  );
});

test("an image with the stand-in is not for release, and its tags say why", async () => {
  expect(manifest.release).toBe(false);
  const { Images } = await labTarget(labPlace(state)).ec2.send(
    new DescribeImagesCommand({ ImageIds: [manifest.image.id] }),
  );
  const tags = new Map(Images?.[0]?.Tags?.map((tag) => [tag.Key, tag.Value]));
  expect(tags.get("Release")).toBe("false");
  expect(tags.get("ReleaseReason")).toMatch(/stand-in/);
  expect(tags.get("eclair-ami:test-boot")).toBe("passed");
});

test("the image was made by Packer's amazon-ebs builder, from Debian's AMI", () => {
  const log = readFileSync(join(dirname(manifestFile), "packer.log"), "utf8");
  expect(log).toMatch(/amazon-ebs\.eclair/);
  expect(log).toMatch(/Found Image ID: ami-0deb1a00000000013/);
});

test("`images` lists it, and finds no difference between it and itself", async () => {
  const listed = await cli(["images", "list", "--json", "--state", state]);
  expect(JSON.parse(listed.stdout)).toEqual(
    expect.arrayContaining([expect.objectContaining({ id: manifest.image.id, release: false })]),
  );
  const same = await cli(["images", "diff", manifest.bakeId, manifest.bakeId, "--json"]);
  expect(JSON.parse(same.stdout)).toEqual([]);
});
