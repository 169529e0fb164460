import { describe, expect, test } from "vitest";
import { planReturns, requirePromotable } from "../../../scripts/release/channels/decide.ts";
import type { ChannelDocument } from "../../../scripts/release/store/channel.ts";
import type { VersionDocument } from "../../../scripts/release/store/version.ts";
import { channelWith, publishedVersion, release, withdrawn } from "../../support/release.ts";

const removed = { at: "2026-11-02T00:00:00.000Z", by: "lab" };

describe("a promotion", () => {
  const older = publishedVersion("0.13.0-1");
  const newer = publishedVersion("0.13.0-10");
  const migrating = publishedVersion("0.13.1-1");

  test.each<[string, string, ChannelDocument, VersionDocument[], boolean]>([
    ["the first version", "0.13.0-1", channelWith("stable"), [older], false],
    ["a newer version", "0.13.0-10", channelWith("stable", "0.13.0-1"), [older, newer], false],
    [
      "an older version with --rollback",
      "0.13.0-1",
      channelWith("stable", "0.13.0-10"),
      [older, newer],
      true,
    ],
    [
      "a newer Eclair with other schemas",
      "0.13.1-1",
      channelWith("stable", "0.13.0-1"),
      [older, migrating],
      false,
    ],
    [
      "a newer version after the channel was emptied",
      "0.13.0-10",
      channelWith("stable", "0.13.0-1", null),
      [older, newer],
      false,
    ],
  ])("to %s is permitted", (_name, version, channel, versions, rollback) => {
    expect(requirePromotable(version, channel, versions, release, rollback).version).toBe(version);
  });

  const untested = publishedVersion("0.13.0-2");
  untested.architectures.x86_64!.regions["eu-west-1"]!.test = {
    state: "skipped",
    at: "2026-11-01T00:00:00.000Z",
    by: "lab",
  };
  const unpublished = publishedVersion("0.13.0-2");
  delete unpublished.architectures.x86_64!.regions["eu-west-1"]!.publishedAt;

  test.each<[string, string, ChannelDocument, VersionDocument[], boolean, string]>([
    ["that does not exist", "0.13.0-7", channelWith("stable"), [older], false, "release.version-unknown"],
    [
      "without a test in one region",
      "0.13.0-2",
      channelWith("stable"),
      [untested],
      false,
      "release.version-incomplete",
    ],
    [
      "that is missing in one region",
      "0.13.0-2",
      channelWith("stable"),
      [unpublished],
      false,
      "release.version-incomplete",
    ],
    [
      "that was withdrawn",
      "0.13.0-1",
      channelWith("stable"),
      [publishedVersion("0.13.0-1", { withdrawn })],
      false,
      "release.withdrawn",
    ],
    [
      "whose images were removed",
      "0.13.0-1",
      channelWith("stable"),
      [publishedVersion("0.13.0-1", { removed })],
      false,
      "release.image-missing",
    ],
    [
      "that is older",
      "0.13.0-1",
      channelWith("stable", "0.13.0-10"),
      [older, newer],
      false,
      "release.older-version",
    ],
    [
      "whose Eclair is older than the schemas",
      "0.13.0-1",
      channelWith("stable", "0.13.1-1"),
      [older, migrating],
      true,
      "release.schemas-incompatible",
    ],
    [
      "that is older than the version with which the channel was emptied",
      "0.13.0-1",
      channelWith("stable", "0.13.0-10", null),
      [older, newer],
      false,
      "release.older-version",
    ],
    [
      "whose Eclair is older than the schemas of an emptied channel",
      "0.13.0-1",
      channelWith("stable", "0.13.1-1", null),
      [older, migrating],
      true,
      "release.schemas-incompatible",
    ],
    [
      "whose predecessor's schemas are not known",
      "0.13.0-1",
      channelWith("stable", "0.99.0-1"),
      [older, publishedVersion("0.99.0-1")],
      true,
      "release.schemas-incompatible",
    ],
    [
      "without an architecture of the channel",
      "0.13.0-10",
      channelWith("stable", "0.13.0-1"),
      [publishedVersion("0.13.0-1", { only: ["x86_64", "arm64"] }), newer],
      false,
      "release.architecture-missing",
    ],
  ])("of a version %s is refused", (_name, version, channel, versions, rollback, code) => {
    expect(() => requirePromotable(version, channel, versions, release, rollback)).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });
});

describe("a withdrawal", () => {
  const bad = (version: string) => publishedVersion(version, { withdrawn });
  const change = { kind: "promote" as const, by: "lab", startedAt: "2026-11-02T00:00:00.000Z", beat: 0 };

  test.each<[string, ChannelDocument, VersionDocument[], string | null | undefined]>([
    [
      "returns the channel to its previous version",
      channelWith("stable", "0.13.0-1", "0.13.0-2"),
      [publishedVersion("0.13.0-1"), bad("0.13.0-2")],
      "0.13.0-1",
    ],
    [
      "passes a version that was withdrawn before",
      channelWith("stable", "0.13.0-0", "0.13.0-1", "0.13.0-2"),
      [publishedVersion("0.13.0-0"), bad("0.13.0-1"), bad("0.13.0-2")],
      "0.13.0-0",
    ],
    [
      "passes a version whose images were removed",
      channelWith("stable", "0.13.0-0", "0.13.0-1", "0.13.0-2"),
      [publishedVersion("0.13.0-0"), publishedVersion("0.13.0-1", { removed }), bad("0.13.0-2")],
      "0.13.0-0",
    ],
    [
      "empties a channel without an earlier version",
      channelWith("stable", "0.13.0-2"),
      [bad("0.13.0-2")],
      null,
    ],
    [
      "empties a channel when the previous Eclair is older than the schemas",
      channelWith("stable", "0.13.0-1", "0.13.1-1"),
      [publishedVersion("0.13.0-1"), bad("0.13.1-1")],
      null,
    ],
    [
      "leaves a channel with another version alone",
      channelWith("stable", "0.13.0-2", "0.13.0-3"),
      [bad("0.13.0-2"), publishedVersion("0.13.0-3")],
      undefined,
    ],
    [
      "leaves a channel alone that had the version",
      channelWith("stable", "0.13.0-2", "0.13.0-1"),
      [publishedVersion("0.13.0-1"), bad("0.13.0-2")],
      undefined,
    ],
    [
      "reverts an unfinished promotion to the version",
      { ...channelWith("stable", "0.13.0-1"), change: { ...change, from: "0.13.0-1", to: "0.13.0-2" } },
      [publishedVersion("0.13.0-1"), bad("0.13.0-2")],
      "0.13.0-1",
    ],
  ])("%s", (_name, channel, versions, to) => {
    const version = versions.findLast((one) => one.withdrawn !== undefined);
    const [planned] = planReturns(version ?? bad("none"), [channel], versions, release);
    expect(planned?.to).toBe(to);
  });
});
