import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { exampleRelease } from "../../../scripts/release/document/example.ts";
import { readRelease } from "../../../scripts/release/document/read.ts";

const folder = mkdtempSync(join(tmpdir(), "eclair-ami-release-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Document = { [key: string]: unknown; regions: Record<string, Record<string, unknown>> };

const read = async (change: (document: Document) => void, target: "aws" | "lab" = "aws") => {
  const document = parse(exampleRelease) as Document;
  change(document);
  const file = join(folder, "release.yaml");
  writeFileSync(file, stringify(document));
  return await readRelease(file, target);
};

test("the example is valid, and has the defaults of a bank", async () => {
  const release = await read(() => undefined);
  expect(Object.keys(release.regions)).toEqual(["eu-central-1", "eu-west-1"]);
  expect(release).toMatchObject({
    deregistrationProtection: "with-cooldown",
    channels: ["candidate", "stable"],
  });
});

const key = (arn: string) => (document: Document) => {
  document.regions["eu-west-1"] = { kmsKeyArn: arn };
};
const set = (name: string, value: unknown) => (document: Document) => {
  document[name] = value;
};

describe("a document that cannot work is refused with its reason", () => {
  test.each<[string, (document: Document) => void, RegExp]>([
    [
      "the default key of EBS",
      key("alias/aws/ebs"),
      /regions.eu-west-1.kmsKeyArn must not be aws\/ebs, the default key of a bake.*--kms-key/,
    ],
    [
      "an alias: a copy is compared with the key itself",
      key("arn:aws:kms:eu-west-1:123456789012:alias/images"),
      /regions.eu-west-1.kmsKeyArn must be an ARN/,
    ],
    [
      "a key of another region",
      key("arn:aws:kms:eu-central-1:123456789012:key/1"),
      /a copy needs a key of its own region/,
    ],
    ["a key of another account", key("arn:aws:kms:eu-west-1:999999999999:key/1"), /the account 999999999999/],
    ["a key of another partition", key("arn:aws-cn:kms:eu-west-1:123456789012:key/1"), /partition aws-cn/],
    [
      "a region of another partition",
      ({ regions }) => {
        regions["cn-north-1"] = { kmsKeyArn: "arn:aws-cn:kms:cn-north-1:123456789012:key/1" };
      },
      /the region cn-north-1 belongs to the partition aws-cn/,
    ],
    [
      "an organization of another partition",
      set("principals", { organizations: ["arn:aws-cn:organizations::123456789012:organization/o-abc"] }),
      /belongs to another partition than aws/,
    ],
    [
      "snapshots that are shared with organizations",
      set("shareSnapshots", "organizations"),
      /shareSnapshots must be one of accounts, off/,
    ],
    ["the publisher as a consumer", set("principals", { accounts: ["123456789012"] }), /needs no permission/],
    ["an account id that YAML reads as a number", set("accountId", 123456789012), /accountId/],
    ["the prefix of the lab", set("parameterPrefix", "/lab/eclair-ami"), /images that are not for release/],
    ["a prefix that AWS reserves", set("parameterPrefix", "/aws/eclair"), /AWS reserves/],
    ["a channel with the name of a version", set("channels", ["0.13.0-1"]), /must begin with a letter/],
    ["a channel twice", set("channels", ["stable", "stable"]), /must not contain a name twice/],
    [
      "an unknown key in a region",
      ({ regions }) => {
        regions["eu-west-1"] = { ...regions["eu-west-1"], kmsKeyARN: "x" };
      },
      /regions.eu-west-1.kmsKeyARN is not a known key.*kmsKeyArn/,
    ],
    ["no region", set("regions", {}), /must contain at least one region/],
  ])("%s", async (_name, change, message) => {
    await expect(read(change)).rejects.toThrow(message);
  });
});

test("the lab accepts no prefix under which consumers look for releases", async () => {
  await expect(read(() => undefined, "lab")).rejects.toThrow(/does not begin with \/lab/);
});
