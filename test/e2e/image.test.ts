import { DescribeImagesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, expect, inject, test } from "vitest";
import { tags } from "../../bootstrap/contract/tags.ts";
import { Manifest, manifestSchema } from "../../scripts/image/manifest.ts";
import { labPaths } from "../../scripts/lab/paths.ts";
import { labTarget } from "../../scripts/lab/target.ts";
import { exampleNode } from "../../scripts/cluster/configuration/example.ts";
import { filledExample } from "../support/example-node.ts";
import { cli } from "./cli.ts";
import { scratchFolder } from "./scratch.ts";

const manifestFile = inject("manifestFile");
const manifest = Manifest.parse(JSON.parse(readFileSync(manifestFile, "utf8")));
const state = inject("labState");
const folder = scratchFolder("eclair-ami-image-");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

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

test("`config check --image` checks the settings with those of the image's Eclair", async () => {
  const file = join(folder, "node.yaml");
  const checkWith = async (setting: string) => {
    writeFileSync(
      file,
      filledExample(exampleNode("signet")).replace("settings: {}", `settings: { ${setting} }`),
    );
    return await cli(["config", "check", file, "--image", manifest.image.id]);
  };
  const accepted = await checkWith("channel.min-depth-blocks: 12");
  expect(accepted.exitCode, accepted.all).toBe(0);
  const refused = await checkWith("channel.min-depth-blocks: often");
  expect(refused.exitCode).toBe(2);
  expect(refused.all).toMatch(/eclair\.settings\.channel\.min-depth-blocks must be a number/);
});
