import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Preread } from "../../bootstrap/supervise/preread.ts";
import { logged } from "../support/logged.ts";

let now = 1000;
vi.mock(import("../../bootstrap/supervise/clock.ts"), () => ({ boottime: () => now }));
const { lines: said } = logged();

let folder: string;
beforeEach(() => {
  vi.clearAllMocks();
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-preread-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("every file is read to its end, and again after ten minutes", async () => {
  const files = [3_000_000, 0, 17].map((bytes, index) => {
    const path = join(folder, String(index));
    writeFileSync(path, Buffer.alloc(bytes));
    return path;
  });
  const list = vi.fn<() => string[]>(() => files);
  const preread = new Preread(list);
  await Promise.all([preread.look(), preread.look()]);
  expect(said()).toMatchObject([{ files: 3, bytes: 3_000_017 }]);
  expect(list).toHaveBeenCalledTimes(1);
  now += 600;
  await preread.look();
  expect(list).toHaveBeenCalledTimes(2);
});

test("a file that is not there is told", async () => {
  await new Preread(() => [join(folder, "none")]).look();
  expect(said()).toMatchObject([{ failed: expect.stringMatching(/ENOENT/) as string }]);
});
