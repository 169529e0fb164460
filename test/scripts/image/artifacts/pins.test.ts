import { expect, test } from "vitest";
import { parsePins, readPins } from "../../../../scripts/image/artifacts/pins.ts";

test("the pins of this project are valid", () => {
  expect(readPins().bitcoin?.version).toBe("31.1");
});

const entry = (fingerprint: string, threshold = 1) => `
bitcoin:
  version: "31.1"
  sums: https://release.invalid/SHA256SUMS
  signatures: []
  files: {}
  threshold: ${threshold}
  signers:
    alice: { fingerprint: "${fingerprint}", key: "https://release.invalid/alice.gpg" }
`;

test("refuses a short key id", () => {
  expect(() => parsePins(entry("E04E48E72C205463"))).toThrow(/full fingerprint of 40 hex digits/);
});

test("refuses a threshold above the number of signers", () => {
  expect(() => parsePins(entry("0".repeat(40), 2))).toThrow(/threshold is higher/);
});

test("refuses an unknown key", () => {
  expect(() => parsePins(`${entry("0".repeat(40))}  sha: x\n`)).toThrow(/sha/);
});
