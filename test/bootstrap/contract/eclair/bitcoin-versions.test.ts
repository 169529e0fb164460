import { expect, test } from "vitest";
import {
  bitcoinVersionOf,
  minimumBitcoinVersion,
} from "../../../../bootstrap/contract/eclair/bitcoin-versions.ts";
import { compareVersions } from "../../../../bootstrap/contract/eclair/versions.ts";

test("compares versions by number", () => {
  expect(compareVersions("0.13.10", "0.13.9")).toBeGreaterThan(0);
  expect(compareVersions("31.0", "31")).toBe(0);
});

test.each([
  ["0.12.0", undefined],
  ["0.13.0", "28.1"],
  ["0.13.1", "29.0"],
  ["0.14.0", "30.0"],
  ["0.14.1", "31.0"],
  ["0.15.2", "31.0"],
])("the oldest Bitcoin Core for Eclair %s is %s", (eclair, bitcoin) => {
  expect(minimumBitcoinVersion(eclair)).toBe(bitcoin);
});

test("reads the version in the notation of getnetworkinfo", () => {
  expect(bitcoinVersionOf(280_100)).toBe("28.1.0");
  expect(bitcoinVersionOf(310_002)).toBe("31.0.2");
});
