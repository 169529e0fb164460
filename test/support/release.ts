import { Release } from "../../scripts/release/document/schema.ts";
import { channelStatus, versionStatus, type ReleaseStatus } from "../../scripts/release/status/status.ts";
import { emptyChannel, type ChannelDocument } from "../../scripts/release/store/channel.ts";
import { newVersion, type VersionDocument } from "../../scripts/release/store/version.ts";

const key = (region: string) => `arn:aws:kms:${region}:123456789012:key/1234abcd`;

/** A release document of two regions. */
export const release = Release.parse({
  apiVersion: "eclair-ami/v1",
  kind: "Release",
  accountId: "123456789012",
  regions: {
    "eu-central-1": { kmsKeyArn: key("eu-central-1") },
    "eu-west-1": { kmsKeyArn: key("eu-west-1") },
  },
  principals: { accounts: ["210987654321"] },
  retention: { versions: 2 },
  parameterPrefix: "/eclair-ami",
  manifests: { bucket: "releases", region: "eu-central-1" },
});

export const imageId = (version: string, region: string, architecture = "x86_64") =>
  `ami-${version}-${region}-${architecture}`;

/** A version that is published and tested in both regions. */
export function publishedVersion(
  version: string,
  changes: Partial<VersionDocument> & { readonly only?: readonly ("x86_64" | "arm64")[] } = {},
): VersionDocument {
  const { only = ["x86_64"], ...rest } = changes;
  const at = "2026-11-01T00:00:00.000Z";
  const document = newVersion({
    version,
    eclair: version.split("-")[0] ?? "",
    bitcoind: "31.1",
    createdAt: at,
    createdBy: "lab",
  });
  const architectures = Object.fromEntries(
    only.map((architecture) => [
      architecture,
      {
        bakeId: `bake-${version}-${architecture}`,
        source: { region: "eu-central-1", imageId: "ami-source" },
        manifestSha256: "0",
        release: true,
        failedCopies: {},
        endedTests: {},
        regions: Object.fromEntries(
          Object.keys(release.regions).map((region) => [
            region,
            {
              imageId: imageId(version, region, architecture),
              snapshotIds: [`snap-${version}-${region}`],
              kmsKeyArn: key(region),
              test: { state: "passed" as const, at, durationSeconds: 60 },
              publishedAt: at,
            },
          ]),
        ),
      },
    ]),
  );
  return { ...document, architectures, ...rest };
}

/** A channel that had these versions, the oldest first. */
export function channelWith(channel: string, ...versions: (string | null)[]): ChannelDocument {
  const history = versions.map((to, index) => ({
    ...{ kind: "promote" as const, from: versions[index - 1] ?? null, to, by: "lab" },
    at: "2026-11-01T00:00:00.000Z",
  }));
  return { ...emptyChannel(channel), history };
}

export const withdrawn = { at: "2026-11-02T00:00:00.000Z", by: "lab", reason: "CVE-2026-1" };

/** A status with a mixed channel, an empty one, and a withdrawn version whose reason contains markup. */
export function sampleReleaseStatus(): ReleaseStatus {
  const reason = "<b>bad</b>";
  const bad = publishedVersion("0.13.0-1", { withdrawn: { ...withdrawn, reason } });
  const versions = [bad, publishedVersion("0.13.0-2")];
  const cells = [
    {
      region: "eu-central-1",
      architecture: "x86_64" as const,
      imageId: imageId("0.13.0-2", "eu-central-1"),
    },
    { region: "eu-west-1", architecture: "x86_64" as const, imageId: imageId("0.13.0-1", "eu-west-1") },
  ];
  const channels = [
    channelStatus(channelWith("candidate"), versions, []),
    channelStatus(channelWith("stable", "0.13.0-1", "0.13.0-2"), versions, cells),
  ];
  return {
    readAt: "2026-11-02T00:00:00.000Z",
    regions: Object.keys(release.regions),
    channels,
    versions: versions.map((document) => versionStatus(document, release, channels)),
  };
}
