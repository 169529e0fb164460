import {
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetParametersByPathCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { z } from "zod";
import { tags } from "../../bootstrap/contract/tags.ts";
import { publisherPolicy } from "../../infra/policies/publisher.ts";
import { createUserRole } from "../../scripts/lab-cluster/roles.ts";
import { home, secondRegion } from "../../scripts/lab/addresses.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { imageLayers, recordImage } from "../../scripts/lab/guest/root-volume.ts";
import { labPaths, layout } from "../../scripts/lab/paths.ts";
import { labTarget } from "../../scripts/lab/target.ts";
import { resolveChannel } from "../../scripts/release/channels/resolve.ts";
import { ReleaseStore } from "../../scripts/release/store/store.ts";
import { publishTasks } from "../../scripts/release/publish/publish.ts";
import type { ReleaseStatus } from "../../scripts/release/status/status.ts";
import { asRole } from "../../scripts/target/scoped.ts";
import { cli, failureOf } from "./cli.ts";
import { labRelease, type TestRelease } from "./lab-release.ts";

const state = inject("labState");
const lab = labPaths(state);
const image = inject("images")[0]?.id ?? "";
const regions = [home.region, secondRegion];
const target = labTarget(lab);

const run = (release: TestRelease, ...args: string[]) =>
  cli(["release", ...args, "--state", state, "--config", release.file]);
const publish = (release: TestRelease, ...flags: string[]) =>
  run(release, "publish", image, "--json", ...flags);
const succeed = async (release: TestRelease, ...args: string[]) => {
  const done = await run(release, ...args);
  expect(done.exitCode, done.all).toBe(0);
  return done.stdout;
};

type Event = {
  event: string;
  task?: string;
  region?: string;
  version?: string;
  images?: Record<string, string>;
};
const lastEvent = ({ stdout }: { stdout: string }): Event =>
  JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Event;

/** Runs a command, and kills it with SIGKILL at its first event that matches. */
async function killAt(
  release: TestRelease,
  args: string[],
  matches: (event: Event) => boolean,
): Promise<void> {
  const child = cli(
    ["release", ...args, "--state", state, "--config", release.file, "--json"],
    {},
    { detached: true },
  );
  let killed = false;
  child.stdout.on("data", (chunk: Buffer) => {
    for (const line of chunk.toString().split("\n"))
      if (line.startsWith("{") && !killed && matches(JSON.parse(line) as Event)) {
        killed = true;
        // The launcher and the verb: a process group of their own.
        process.kill(-(child.pid ?? 0), "SIGKILL");
      }
  });
  const result = await child;
  expect(killed, result.all).toBe(true);
}

const statusOf = async (release: TestRelease) =>
  JSON.parse(await succeed(release, "status", "--json")) as ReleaseStatus;

/** The copies of a release in a region. */
async function copiesIn(release: TestRelease, region: string) {
  const { Images = [] } = await target.client(EC2Client, { region }).send(
    new DescribeImagesCommand({
      Owners: ["self"],
      IncludeDeprecated: true,
      Filters: [{ Name: `tag:${tags.releaseStore}`, Values: [`*${release.prefix.replace("/lab", "")}/`] }],
    }),
  );
  return Images;
}

async function parametersIn(release: TestRelease, region: string): Promise<string[]> {
  const { Parameters = [] } = await target
    .client(SSMClient, { region })
    .send(new GetParametersByPathCommand({ Path: release.prefix, Recursive: true }));
  return Parameters.map(({ Name = "" }) => Name.slice(release.prefix.length));
}

/** Nothing that a consumer can see. */
async function expectInvisible(
  release: TestRelease,
  region: string,
  parameters: readonly string[] = [],
): Promise<void> {
  expect(await parametersIn(release, region)).toEqual(parameters);
  const consumer = labTarget(lab, { region: secondRegion, roleArn: release.consumerRoleArn });
  const { Images = [] } = await consumer
    .client(EC2Client, { region })
    .send(new DescribeImagesCommand({ ExecutableUsers: ["self"] }));
  const ours = new Set((await copiesIn(release, region)).map(({ ImageId }) => ImageId));
  expect(Images.filter(({ ImageId }) => ours.has(ImageId))).toEqual([]);
}

describe("a release to two regions and another account", () => {
  let release: TestRelease;
  let published: Record<string, string>;
  beforeAll(async () => {
    release = await labRelease(lab, "released");
  });

  test("the lab's own document, with the role of the publisher, passes the check", async () => {
    await labRelease(lab, "released");
    const checked = await cli(["release", "check", "--json", "--state", state]);
    expect(checked.exitCode, checked.all).toBe(0);
  });

  test("publish that is killed at each of its steps ends with one copy in each region", async () => {
    for (const { title } of publishTasks())
      await killAt(
        release,
        ["publish", image],
        ({ event, task }) => event === "task.started" && task === title,
      );
    const done = await publish(release);
    expect(done.exitCode, done.all).toBe(0);
    const { version, images = {} } = lastEvent(done);
    expect(version).toMatch(/^\d+\.\d+\.\d+-1$/);
    published = images;
    expect(Object.keys(images).toSorted()).toEqual(regions);
    for (const region of regions) {
      const copies = await copiesIn(release, region);
      expect(copies.map(({ ImageId }) => ImageId)).toEqual([images[region]]);
      const ec2 = target.client(EC2Client, { region });
      const { Snapshots = [] } = await ec2.send(
        new DescribeSnapshotsCommand({
          Filters: [{ Name: `tag:${tags.releaseStore}`, Values: ["*/released/"] }],
        }),
      );
      expect(Snapshots).toHaveLength(1);
      const { Reservations = [] } = await ec2.send(
        new DescribeInstancesCommand({
          Filters: [
            { Name: "image-id", Values: [images[region] ?? ""] },
            { Name: "instance-state-name", Values: ["pending", "running"] },
          ],
        }),
      );
      expect(Reservations).toEqual([]);
    }
  });

  test("the published image is encrypted, protected, deprecated later, and shared with the named account", async () => {
    const ec2 = target.client(EC2Client, { region: secondRegion });
    const { Images } = await ec2.send(
      new DescribeImagesCommand({ ImageIds: [published[secondRegion] ?? ""] }),
    );
    expect(Images?.[0]).toMatchObject({
      ImdsSupport: "v2.0",
      DeregistrationProtection: "enabled-without-cooldown",
      DeprecationTime: expect.stringMatching(/^20\d\d-/) as string,
    });
    const { SnapshotId = "" } = Images?.[0]?.BlockDeviceMappings?.[0]?.Ebs ?? {};
    const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }));
    expect(Snapshots?.[0]).toMatchObject({
      Encrypted: true,
      KmsKeyId: expect.stringContaining(`:kms:${secondRegion}:`) as string,
    });
    const { LaunchPermissions } = await ec2.send(
      new DescribeImageAttributeCommand({ ImageId: published[secondRegion], Attribute: "launchPermission" }),
    );
    expect(LaunchPermissions).toEqual([{ UserId: /::(\d+):/.exec(release.consumerRoleArn)?.[1] }]);
    expect(await parametersIn(release, secondRegion)).toHaveLength(2);
  });

  test("an instance that the other account launches in the other region passes the image test", async () => {
    const tested = await cli([
      ...["images", "test", published[secondRegion] ?? "", "--json", "--state", state],
      ...["--region", secondRegion, "--role-arn", release.consumerRoleArn],
    ]);
    expect(tested.exitCode, tested.all).toBe(0);
    expect(JSON.parse(tested.stdout)).toMatchObject({ passed: true, imageId: published[secondRegion] });
  });

  test("promote that is killed between two regions is mixed, and the next run finishes it", async () => {
    const { versions } = await statusOf(release);
    const version = versions[0]?.version ?? "";
    await killAt(release, ["promote", version, "--to", "stable"], ({ event }) => event === "region.changed");
    const interrupted = (await statusOf(release)).channels.find(({ channel }) => channel === "stable");
    expect(interrupted).toMatchObject({ state: "mixed", version: null });
    expect(interrupted?.change).toMatch(new RegExp(`^the promote from no version to ${version} by lab$`));
    await succeed(release, "promote", version, "--to", "stable");
    const finished = (await statusOf(release)).channels.find(({ channel }) => channel === "stable");
    expect(finished).toMatchObject({ state: "ok", version });
    expect(finished?.change).toBeUndefined();
    const reader = asRole(labTarget(lab, { region: secondRegion }), undefined);
    expect(
      await resolveChannel(reader, { channel: "stable", architecture: "x86_64", prefix: release.prefix }),
    ).toMatchObject({ imageId: published[secondRegion], version, release: false });
  });

  test("withdraw empties the channel, marks the images everywhere, and prune removes them", async () => {
    const version = (await statusOf(release)).versions[0]?.version ?? "";
    await succeed(release, "withdraw", version, "--reason", "a test of the withdrawal");
    const { channels, versions } = await statusOf(release);
    expect(channels.map(({ state: one }) => one)).toEqual(["empty", "empty"]);
    expect(versions[0]).toMatchObject({ state: "withdrawn", detail: "a test of the withdrawal" });
    for (const region of regions)
      expect((await copiesIn(release, region))[0]?.Tags).toContainEqual({
        Key: tags.withdrawn,
        Value: "a test of the withdrawal",
      });
    const refused = await run(release, "promote", version, "--to", "stable", "--json");
    expect(failureOf(refused)).toMatchObject({ code: "release.withdrawn" });

    const planned = await succeed(release, "prune", "--dry-run");
    expect(planned).toMatch(new RegExp(`^${version}: would be removed`));
    expect(await copiesIn(release, secondRegion)).toHaveLength(1);
    await succeed(release, "prune");
    for (const region of regions) {
      expect(await copiesIn(release, region)).toEqual([]);
      expect(await parametersIn(release, region)).toEqual([]);
    }
    const { Images = [] } = await target
      .client(EC2Client)
      .send(new DescribeImagesCommand({ ImageIds: [image] }));
    expect(Images).toHaveLength(1);
  });

  test("two publishes and two promotes at the same time do not disturb each other", async () => {
    const runs = await Promise.all([publish(release), publish(release)]);
    for (const one of runs) expect(one.exitCode, one.all).toBe(0);
    const [first, second] = runs.map((one) => lastEvent(one));
    // The number of a removed version is not used again.
    expect(first?.version).toMatch(/-2$/);
    expect(second).toMatchObject({ version: first?.version, images: first?.images });
    for (const region of regions) expect(await copiesIn(release, region)).toHaveLength(1);
    const promotions = await Promise.all(
      [1, 2].map(() => run(release, "promote", first?.version ?? "", "--to", "candidate", "--json")),
    );
    for (const one of promotions) expect(one.exitCode, one.all).toBe(0);
    const candidate = (await statusOf(release)).channels.find(({ channel }) => channel === "candidate");
    expect(candidate).toMatchObject({ state: "ok", version: first?.version });
  });
});

describe("a publication that cannot succeed in a region", () => {
  /** Publishes, and expects that only the second region failed. @returns its part of the message */
  async function expectSecondRegionToFail(release: TestRelease, ...flags: string[]): Promise<string> {
    const done = await publish(release, ...flags);
    expect(done.exitCode, done.all).toBe(1);
    const { code, message } = failureOf(done);
    expect(code).toBe("release.regions-failed");
    expect(message).not.toMatch(home.region);
    await expectInvisible(release, secondRegion);
    expect(await parametersIn(release, home.region)).toHaveLength(2);
    return message;
  }

  test("without a permission there", async () => {
    const release = await labRelease(lab, "forbidden");
    const names = {
      ...{ accountId: home.accountId, regions: [home.region], parameterPrefix: release.prefix },
      ...{ kmsKeyArns: ["*"], bucket: "eclair-ami-releases", objectPrefix: "forbidden/", testRoleArns: [] },
    };
    const roleArn = await createUserRole(
      target.client(IAMClient),
      "forbidden-publisher",
      publisherPolicy(names),
    );
    release.change((document) => (document.roleArn = roleArn));
    expect(await expectSecondRegionToFail(release, "--no-test")).toMatch(
      /^us-west-2: .*not authorized to perform: ec2:DescribeImages.*UnauthorizedOperation/,
    );
  });

  test("with a key that may not be used, whose copy is removed, and the next run succeeds with another key", async () => {
    const release = await labRelease(lab, "disabled-key");
    const kms = target.client(KMSClient, { region: secondRegion });
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeyUsage: "ENCRYPT_DECRYPT" }));
    await kms.send(new DisableKeyCommand({ KeyId: KeyMetadata?.KeyId }));
    release.change(({ regions: byRegion }) => {
      byRegion[secondRegion] = { kmsKeyArn: KeyMetadata?.Arn ?? "", test: {} };
    });
    const checked = await run(release, "check");
    expect(checked.exitCode).toBe(1);
    expect(checked.stdout).toMatch(/the key is Disabled/);
    expect(await expectSecondRegionToFail(release, "--no-test")).toMatch(
      /Given key ID is not accessible: .*\(release.copy-failed\)/,
    );
    expect(await copiesIn(release, secondRegion)).toEqual([]);
    release.change(() => undefined);
    const again = await publish(release, "--no-test");
    expect(again.exitCode, again.all).toBe(0);
    const version = lastEvent(again).version ?? "";
    const refused = await run(release, "promote", version, "--to", "stable", "--json");
    expect(failureOf(refused)).toMatchObject({
      code: "release.version-incomplete",
      message: expect.stringMatching(/was not tested/) as string,
    });
  });

  test("with a parameter that another party owns", async () => {
    const release = await labRelease(lab, "taken");
    const version = `${JSON.parse(readFileSync(inject("manifestFile"), "utf8")).inputs.eclair.version as string}-1`;
    const Name = `${release.prefix}/${version}/x86_64/image_id`;
    await target
      .client(SSMClient, { region: secondRegion })
      .send(new PutParameterCommand({ Name, Value: "theirs", Type: "String" }));
    const done = await publish(release, "--no-test");
    expect(done.exitCode, done.all).toBe(1);
    expect(failureOf(done).message).toMatch(
      /^us-west-2: the parameter exists with the value theirs, and should have ami-.*release.parameter-taken/s,
    );
    expect(await parametersIn(release, home.region)).toHaveLength(2);
    await expectInvisible(release, secondRegion, [Name.slice(release.prefix.length)]);
  });

  test("with an image that fails its test there, and one that was deregistered between two steps", async () => {
    const release = await labRelease(lab, "failing");
    await killAt(
      release,
      ["publish", image],
      ({ event, task }) => event === "task.started" && task?.startsWith("Verify") === true,
    );
    const [copy] = await copiesIn(release, secondRegion);
    const id = copy?.ImageId ?? "";
    const layers = imageLayers(lab, id);
    if (layers === undefined) throw new Error("the lab has no disk of the copy");
    // A layer over the image with a unit that fails.
    const broken = join(layout.image(lab, id), "broken");
    const units = join(broken, "etc/systemd/system");
    mkdirSync(join(units, "multi-user.target.wants"), { recursive: true });
    writeFileSync(join(units, "broken.service"), "[Service]\nType=oneshot\nExecStart=/bin/false\n");
    symlinkSync("../broken.service", join(units, "multi-user.target.wants/broken.service"));
    recordImage(lab, id, { ...layers, layers: [...layers.layers, broken] });
    expect(await expectSecondRegionToFail(release)).toMatch(
      /no failed unit: .*broken.service.*\(release.image-test-failed\)/,
    );
    expect((await statusOf(release)).versions[0]).toMatchObject({ state: "incomplete" });

    await target
      .client(EC2Client, { region: secondRegion })
      .send(new DeregisterImageCommand({ ImageId: id }));
    const missing = await publish(release);
    expect(missing.exitCode, missing.all).toBe(1);
    expect(failureOf(missing).message).toMatch(
      new RegExp(`${id} does not exist any more \\(release.image-missing\\)`),
    );
    const again = await publish(release);
    expect(again.exitCode, again.all).toBe(0);
    expect(lastEvent(again).images?.[secondRegion]).not.toBe(id);
  });
});

test("a document is created once and changed by one of two writers, and a repeated write of the same text succeeds", async () => {
  await labRelease(lab, "store");
  const manifests = { bucket: "eclair-ami-releases", region: home.region, prefix: "store/" };
  const store = new ReleaseStore(target, { manifests });
  const Text = z.object({ text: z.string() });
  const created = await store.write("one.json", { text: "a" }, undefined);
  expect(await store.write("one.json", { text: "b" }, undefined)).toBeUndefined();
  // As the SDK does when the answer to the first call was lost.
  expect(await store.write("one.json", { text: "a" }, undefined)).toEqual(created);
  const [first, second] = await Promise.all(
    ["b", "c"].map((text) => store.write("one.json", { text }, created)),
  );
  expect([first, second].filter((written) => written !== undefined)).toHaveLength(1);
  await Promise.all(
    ["d", "e", "f"].map((more) =>
      store.update("one.json", Text, (current) => ({ text: `${current?.text ?? ""}${more}` })),
    ),
  );
  expect((await store.read("one.json", Text))?.value.text).toHaveLength(4);
  expect(await store.list("one")).toEqual(["one.json"]);
});

describe("a publication that is refused before its first copy", { timeout: 120_000 }, () => {
  test("of an image that is not for release, under the prefix of releases", async () => {
    const release = await labRelease(lab, "refused");
    release.change((document) => (document.parameterPrefix = "/eclair-ami"));
    const done = await cli(
      ["release", "publish", image, "--target", "aws", "--config", release.file, "--json"],
      {
        AWS_ENDPOINT_URL: readFacts(lab)?.endpoint,
        AWS_ACCESS_KEY_ID: "lab",
        AWS_SECRET_ACCESS_KEY: "lab",
      },
    );
    expect(failureOf(done)).toMatchObject({ code: "release.not-for-release" });
    expect(await copiesIn(release, secondRegion)).toEqual([]);
  });

  test.each<[string, (manifest: Record<string, unknown>) => void, RegExp]>([
    ["of another bake", (manifest) => (manifest["bakeId"] = "20260101-000000-0000"), /eclair-ami:bake-id is/],
    [
      "with another Eclair",
      (manifest) => ((manifest["inputs"] as { eclair: { sha256: string } }).eclair.sha256 = "0".repeat(64)),
      /eclair-ami:eclair-sha256 is/,
    ],
    [
      "of another image",
      (manifest) => ((manifest["image"] as { id: string }).id = "ami-0123456789abcdef0"),
      /the manifest belongs to ami-0123456789abcdef0/,
    ],
  ])("with the manifest %s", async (_name, change, message) => {
    const release = await labRelease(lab, "refused");
    const manifest = JSON.parse(readFileSync(inject("manifestFile"), "utf8")) as Record<string, unknown>;
    change(manifest);
    const file = join(state, "manifest.json");
    writeFileSync(file, JSON.stringify(manifest));
    const done = await publish(release, "--manifest", file);
    expect(failureOf(done)).toMatchObject({
      code: "release.manifest-mismatch",
      message: expect.stringMatching(message) as string,
    });
    expect(await copiesIn(release, secondRegion)).toEqual([]);
  });
});
