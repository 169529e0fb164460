import { expect, test } from "vitest";
import { releaseVerdict, type Inputs } from "../../../../scripts/image/bake/inputs.ts";

const file = { version: "1", file: "/x", sha256: "a".repeat(64), source: "a file" };
const inputs: Inputs = {
  eclair: { ...file, name: "eclair", kind: "real" },
  bitcoind: { ...file, name: "bitcoind", kind: "release" },
};

test("an image with two pinned releases is for release", () => {
  expect(releaseVerdict(inputs)).toEqual({
    release: true,
    reason: "every artifact is pinned and verified",
  });
});

test("an image with a substitute is not for release, and the reason names each substitute", () => {
  const eclair = { ...inputs.eclair, kind: "stand-in", notForRelease: "a stand-in" } as const;
  const bitcoind = { ...inputs.bitcoind, kind: "debian", notForRelease: "Debian's bitcoind" } as const;
  expect(releaseVerdict({ ...inputs, eclair })).toEqual({ release: false, reason: "a stand-in" });
  expect(releaseVerdict({ eclair, bitcoind })).toEqual({
    release: false,
    reason: "a stand-in; Debian's bitcoind",
  });
});
