import { expect, test } from "vitest";
import { parsePins, readPins } from "../../scripts/artifacts/pins.ts";

test("the project's own pins are well formed", () => {
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

test("a short key id is refused", () => {
  expect(() => parsePins(entry("E04E48E72C205463"))).toThrow(/full fingerprint of 40 hex digits/);
});

test("a threshold above the number of signers is refused", () => {
  expect(() => parsePins(entry("0".repeat(40), 2))).toThrow(/threshold is higher/);
});

test("an unknown key is refused", () => {
  expect(() => parsePins(`${entry("0".repeat(40))}  sha: x\n`)).toThrow(/sha/);
});
