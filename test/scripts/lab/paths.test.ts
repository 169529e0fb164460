import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { linkAddresses, linkCount } from "../../../scripts/lab/addresses.ts";
import { labPaths } from "../../../scripts/lab/paths.ts";

test("each folder is one lab, also by a symbolic link", () => {
  const base = mkdtempSync(join(tmpdir(), "eclair-ami-paths-"));
  try {
    mkdirSync(join(base, "a"));
    symlinkSync(join(base, "a"), join(base, "link"));
    expect(labPaths(join(base, "a")).id).not.toBe(labPaths(join(base, "b")).id);
    expect(labPaths(join(base, "link")).id).toBe(labPaths(join(base, "a")).id);
    // The name of a network interface has at most 15 characters.
    expect(labPaths(join(base, "a")).hostLink.length).toBeLessThanOrEqual(15);
  } finally {
    rmSync(base, { recursive: true });
  }
});

test("each link has its own addresses in 100.65.0.0/16", () => {
  expect(linkAddresses(0)).toEqual({ host: "100.65.0.1", lab: "100.65.0.2" });
  expect(linkAddresses(linkCount - 1)).toEqual({ host: "100.65.255.253", lab: "100.65.255.254" });
});
