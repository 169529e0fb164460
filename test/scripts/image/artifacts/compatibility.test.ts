import { expect, test } from "vitest";
import { compareVersions } from "../../../../bootstrap/contract/eclair/versions.ts";
import {
  minimumBitcoinVersion,
  requireCompatible,
} from "../../../../scripts/image/artifacts/compatibility.ts";

test("compares versions by number", () => {
  expect(compareVersions("0.13.10", "0.13.9")).toBeGreaterThan(0);
  expect(compareVersions("31.0", "31")).toBe(0);
});

test("a newer Eclair than the newest listed version needs the Bitcoin Core of that version", () => {
  expect(minimumBitcoinVersion("0.15.2")).toBe("31.0");
  expect(minimumBitcoinVersion("0.13.0")).toBe("28.1");
});

test("refuses Eclair 0.14.1 with Bitcoin Core 29, and names both", () => {
  expect(() => requireCompatible("0.14.1", "29.3")).toThrow(
    /Eclair 0\.14\.1 needs Bitcoin Core 31\.0 or newer, and this is bitcoind 29\.3/,
  );
  expect(() => requireCompatible("0.14.1", "31.1")).not.toThrow();
});

test("refuses an Eclair that is older than 0.13", () => {
  expect(() => requireCompatible("0.12.0", "31.1")).toThrow(/older than 0\.13\.0/);
});
