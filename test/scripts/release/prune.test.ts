import { describe, expect, test } from "vitest";
import { planPruning } from "../../../scripts/release/prune/plan.ts";
import { collectUses, launchedRecently, reportedUses } from "../../../scripts/release/prune/usage.ts";
import type { ChannelDocument } from "../../../scripts/release/store/channel.ts";
import { channelWith, imageId, publishedVersion, release, withdrawn } from "../../support/release.ts";

const names = ["0.13.0-1", "0.13.0-2", "0.13.0-3", "0.13.0-4", "0.13.0-5"];
const change = { kind: "promote" as const, by: "lab", startedAt: "2026-11-02T00:00:00.000Z", beat: 0 };
const all = [channelWith("candidate"), channelWith("stable")];

function removedOf(
  channels: readonly ChannelDocument[],
  versions = names.map((name) => publishedVersion(name)),
  uses: Readonly<Record<string, string>> = {},
) {
  const now = Date.parse("2026-12-24T00:00:00Z");
  return planPruning(
    release,
    versions,
    channels,
    (_region, id) => (uses[id] === undefined ? [] : [uses[id]]),
    now,
  )
    .filter(({ keptBecause }) => keptBecause.length === 0)
    .map(({ version }) => version);
}

describe("prune keeps", () => {
  test.each<[string, () => readonly string[], readonly string[]]>([
    ["the newest versions", () => removedOf(all), ["0.13.0-1", "0.13.0-2", "0.13.0-3"]],
    [
      "the version of a channel, and those to which the channel can return",
      () => removedOf([channelWith("candidate"), channelWith("stable", "0.13.0-1", "0.13.0-2", "0.13.0-3")]),
      ["0.13.0-1"],
    ],
    [
      "the version of a channel that returned to an old version",
      () => removedOf([channelWith("candidate"), channelWith("stable", "0.13.0-3", "0.13.0-2", "0.13.0-1")]),
      ["0.13.0-3"],
    ],
    [
      "both versions of an unfinished promotion",
      () =>
        removedOf([
          channelWith("candidate"),
          { ...channelWith("stable", "0.13.0-1"), change: { ...change, from: "0.13.0-1", to: "0.13.0-3" } },
        ]),
      ["0.13.0-2"],
    ],
    [
      "everything that is in use in one region",
      () => removedOf(all, undefined, { [imageId("0.13.0-1", "eu-west-1")]: "the instance i-1 (running)" }),
      ["0.13.0-2", "0.13.0-3"],
    ],
    [
      "a version that was published recently, whatever its number",
      () =>
        removedOf(
          all,
          names.map((name) =>
            publishedVersion(name, name === "0.13.0-1" ? { createdAt: "2026-12-20T00:00:00.000Z" } : {}),
          ),
        ),
      ["0.13.0-2", "0.13.0-3"],
    ],
    [
      "no version whose removal was interrupted",
      () =>
        removedOf(
          all,
          names.map((name) =>
            publishedVersion(
              name,
              name === "0.13.0-5" ? { removed: { at: "2026-12-01T00:00:00.000Z", by: "lab" } } : {},
            ),
          ),
        ),
      ["0.13.0-1", "0.13.0-2", "0.13.0-5"],
    ],
    [
      "no withdrawn version for a channel to return to",
      () =>
        removedOf(
          [channelWith("candidate"), channelWith("stable", "0.13.0-1", "0.13.0-2", "0.13.0-3")],
          names.map((name) => publishedVersion(name, name === "0.13.0-2" ? { withdrawn } : {})),
        ),
      ["0.13.0-2"],
    ],
    [
      "a withdrawn version that is in use",
      () =>
        removedOf(
          all,
          names.map((name) => publishedVersion(name, name === "0.13.0-3" ? { withdrawn } : {})),
          { [imageId("0.13.0-3", "eu-central-1")]: "version 3 of the launch template node" },
        ),
      ["0.13.0-1", "0.13.0-2"],
    ],
  ])("%s", (_name, removed, expected) => {
    expect(removed()).toEqual(expected);
  });
});

describe("what uses an image, in answers of AWS", () => {
  const template = (VersionNumber: number, ImageId: string) => ({
    LaunchTemplateId: "lt-0123456789abcdef0",
    LaunchTemplateName: "node",
    VersionNumber,
    CreateTime: new Date("2026-11-01T00:00:00Z"),
    DefaultVersion: VersionNumber === 1,
    LaunchTemplateData: { ImageId, InstanceType: "t3.medium" as const },
  });
  const groupFacts = {
    MinSize: 2,
    MaxSize: 2,
    DesiredCapacity: 2,
    DefaultCooldown: 300,
    AvailabilityZones: ["eu-central-1a"],
    HealthCheckType: "EC2",
    CreatedTime: new Date("2026-11-01T00:00:00Z"),
  };
  const none = { versions: [], instances: [], groups: [], configurations: [] };

  test("every version of a launch template counts, with the groups that use the template", () => {
    const group = {
      ...groupFacts,
      AutoScalingGroupName: "eclair",
      LaunchTemplate: { LaunchTemplateId: "lt-0123456789abcdef0", LaunchTemplateName: "node", Version: "2" },
    };
    const uses = collectUses({
      ...none,
      versions: [template(1, "ami-old"), template(2, "ami-new")],
      groups: [group],
    });
    expect(uses.get("ami-old")).toEqual([
      "version 1 of the launch template node, which the group eclair uses",
    ]);
    expect(uses.get("ami-new")).toEqual([
      "version 2 of the launch template node, which the group eclair uses",
    ]);
  });

  test("the image of an override counts, and so does a parameter in place of an image", () => {
    const uses = collectUses({
      ...none,
      versions: [template(1, "resolve:ssm:/eclair-ami/0.13.0-1/x86_64/image_id:2")],
      groups: [
        {
          ...groupFacts,
          AutoScalingGroupName: "mixed",
          MixedInstancesPolicy: {
            LaunchTemplate: { Overrides: [{ InstanceType: "m7g.large", ImageId: "ami-arm" }] },
          },
        },
      ],
    });
    expect(uses.get("ami-arm")).toEqual(["an override of the group mixed"]);
    expect([...uses.keys()]).toContain("resolve:ssm:/eclair-ami/0.13.0-1/x86_64/image_id:2");
  });

  test("a mixed instances policy uses the templates of its overrides", () => {
    const group = {
      ...groupFacts,
      AutoScalingGroupName: "mixed",
      MixedInstancesPolicy: {
        LaunchTemplate: {
          LaunchTemplateSpecification: { LaunchTemplateId: "lt-other", Version: "1" },
          Overrides: [
            { LaunchTemplateSpecification: { LaunchTemplateId: "lt-0123456789abcdef0", Version: "1" } },
          ],
        },
      },
    };
    const uses = collectUses({ ...none, versions: [template(1, "ami-1")], groups: [group] });
    expect(uses.get("ami-1")?.[0]).toMatch(/which the group mixed uses/);
  });

  test.each(["pending", "running", "stopping", "stopped", "shutting-down"] as const)(
    "an instance that is %s counts",
    (Name) => {
      const uses = collectUses({
        ...none,
        instances: [{ InstanceId: "i-1", ImageId: "ami-1", State: { Code: 16, Name } }],
      });
      expect(uses.get("ami-1")).toEqual([`the instance i-1 (${Name})`]);
    },
  );

  test("a terminated instance does not count", () => {
    const instances = [
      { InstanceId: "i-1", ImageId: "ami-1", State: { Code: 48, Name: "terminated" as const } },
    ];
    expect(collectUses({ ...none, instances }).size).toBe(0);
  });

  test("a launch configuration counts", () => {
    const configurations = [
      {
        LaunchConfigurationName: "old",
        ImageId: "ami-1",
        InstanceType: "t3.medium",
        CreatedTime: new Date("2020-01-01T00:00:00Z"),
      },
    ];
    expect(collectUses({ ...none, configurations }).get("ami-1")).toEqual(["the launch configuration old"]);
  });

  test("a use in another account counts, also when EC2 does not say how many", () => {
    const entry = { ReportId: "amiur-1", ImageId: "ami-1", ResourceType: "ec2:Instance" };
    expect(
      reportedUses([
        { ...entry, AccountId: "210987654321", UsageCount: 2 },
        { ...entry, AccountId: "310987654321" },
        { ...entry, AccountId: "410987654321", UsageCount: 0 },
      ]),
    ).toEqual([
      "2 × ec2:Instance in the account 210987654321",
      "an unknown number of × ec2:Instance in the account 310987654321",
    ]);
  });

  test("an image that was launched within the retention counts", () => {
    const now = Date.parse("2026-11-28T00:00:00Z");
    expect(launchedRecently({ LastLaunchedTime: "2026-11-01T00:00:00Z" }, 30, now)).toMatch(/2026-11-01/);
    expect(launchedRecently({ LastLaunchedTime: "2026-10-01T00:00:00Z" }, 30, now)).toBeUndefined();
    expect(launchedRecently({}, 30, now)).toBeUndefined();
  });
});
