import { expect, test } from "vitest";
import { compareVersions } from "../../bootstrap/eclair/schemas.ts";
import { neededBitcoin, requireCompatible } from "../../scripts/artifacts/compatibility.ts";

test("versions are compared by number, not by letter", () => {
  expect(compareVersions("0.13.10", "0.13.9")).toBeGreaterThan(0);
  expect(compareVersions("31.0", "31")).toBe(0);
});

test("a newer Eclair than any listed needs what the newest listed one needs", () => {
  expect(neededBitcoin("0.15.2")).toBe("31.0");
  expect(neededBitcoin("0.13.0")).toBe("28.1");
});

test("Eclair 0.14.1 is refused with Bitcoin Core 29, and the message names both", () => {
  expect(() => requireCompatible("0.14.1", "29.3")).toThrow(
    /Eclair 0\.14\.1 and bitcoind 29\.3.*needs Bitcoin Core 31\.0/,
  );
  expect(() => requireCompatible("0.14.1", "31.1")).not.toThrow();
});

test("an Eclair from before 0.13 is refused", () => {
  expect(() => requireCompatible("0.12.0", "31.1")).toThrow(/older than 0\.13\.0/);
});
