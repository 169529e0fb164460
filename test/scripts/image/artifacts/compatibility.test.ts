import { expect, test } from "vitest";
import { requireCompatible } from "../../../../scripts/image/artifacts/compatibility.ts";

test("refuses Eclair 0.14.1 with Bitcoin Core 29, and names both", () => {
  expect(() => requireCompatible("0.14.1", "29.3")).toThrow(
    /Eclair 0\.14\.1 needs Bitcoin Core 31\.0 or newer, and this is bitcoind 29\.3/,
  );
  expect(() => requireCompatible("0.14.1", "31.1")).not.toThrow();
});

test("refuses an Eclair that is older than 0.13", () => {
  expect(() => requireCompatible("0.12.0", "31.1")).toThrow(/older than 0\.13\.0/);
});
