import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { linkAddresses, linkCount } from "../../scripts/lab/addresses.ts";
import { labPlace } from "../../scripts/lab/place.ts";

test("two folders are two labs, and one folder is one lab by whatever path", () => {
  const base = mkdtempSync(join(tmpdir(), "eclair-ami-place-"));
  try {
    mkdirSync(join(base, "a"));
    symlinkSync(join(base, "a"), join(base, "link"));
    expect(labPlace(join(base, "a")).id).not.toBe(labPlace(join(base, "b")).id);
    expect(labPlace(join(base, "link")).id).toBe(labPlace(join(base, "a")).id);
    // An interface's name has at most 15 characters.
    expect(labPlace(join(base, "a")).hostLink.length).toBeLessThanOrEqual(15);
  } finally {
    rmSync(base, { recursive: true });
  }
});

test("every link's addresses are inside 100.65.0.0/16 and its own", () => {
  expect(linkAddresses(0)).toEqual({ host: "100.65.0.1", lab: "100.65.0.2" });
  expect(linkAddresses(linkCount - 1)).toEqual({ host: "100.65.255.253", lab: "100.65.255.254" });
});
