import { expect, test } from "vitest";
import { channelStatus } from "../../../scripts/release/status/status.ts";
import type { ChannelDocument } from "../../../scripts/release/store/channel.ts";
import { channelWith, imageId, publishedVersion, withdrawn } from "../../support/release.ts";

const versions = [publishedVersion("0.13.0-1"), publishedVersion("0.13.0-2")];
const cells = (central: string | undefined, west: string | undefined) =>
  [
    { region: "eu-central-1", architecture: "x86_64" as const, imageId: central },
    { region: "eu-west-1", architecture: "x86_64" as const, imageId: west },
  ] as const;
const image = (number: number, region: string) => imageId(`0.13.0-${number}`, region);
const change = { kind: "promote" as const, by: "lab", startedAt: "2026-11-02T00:00:00.000Z", beat: 0 };
const changing = {
  ...channelWith("stable", "0.13.0-1"),
  change: { ...change, from: "0.13.0-1", to: "0.13.0-2" },
};

test.each<[string, ChannelDocument, ReturnType<typeof cells>, string]>([
  ["empty", channelWith("stable"), cells(undefined, undefined), "empty"],
  [
    "the same version everywhere",
    channelWith("stable", "0.13.0-1"),
    cells(image(1, "eu-central-1"), image(1, "eu-west-1")),
    "ok",
  ],
  [
    "two versions",
    channelWith("stable", "0.13.0-2"),
    cells(image(2, "eu-central-1"), image(1, "eu-west-1")),
    "mixed",
  ],
  [
    "a missing parameter",
    channelWith("stable", "0.13.0-1"),
    cells(image(1, "eu-central-1"), undefined),
    "mixed",
  ],
  [
    "another version than recorded",
    channelWith("stable", "0.13.0-1"),
    cells(image(2, "eu-central-1"), image(2, "eu-west-1")),
    "mixed",
  ],
  ["an image of nobody", channelWith("stable", "0.13.0-1"), cells("ami-x", "ami-x"), "mixed"],
  ["an interrupted promotion", changing, cells(image(2, "eu-central-1"), image(1, "eu-west-1")), "mixed"],
  [
    "a first promotion that was interrupted",
    { ...channelWith("stable"), change: { ...change, from: null, to: "0.13.0-1" } },
    cells(image(1, "eu-central-1"), undefined),
    "mixed",
  ],
  [
    "a promotion that has not begun in any region",
    changing,
    cells(image(1, "eu-central-1"), image(1, "eu-west-1")),
    "changing",
  ],
])("a channel with %s", (_name, document, found, state) => {
  expect(channelStatus(document, versions, found).state).toBe(state);
});

test("a cell names what is wrong with it", () => {
  const bad = [publishedVersion("0.13.0-1", { withdrawn })];
  const [first, second] = channelStatus(
    channelWith("stable", "0.13.0-1"),
    bad,
    cells(image(1, "eu-central-1"), undefined),
  ).cells;
  expect(first).toMatchObject({ version: "0.13.0-1", problem: "withdrawn: CVE-2026-1" });
  expect(second).toMatchObject({ problem: "the parameter is missing" });
});
