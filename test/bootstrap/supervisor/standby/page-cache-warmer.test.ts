import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PageCacheWarmer } from "../../../../bootstrap/supervisor/standby/page-cache-warmer.ts";
import { captureLog } from "../../../support/log-capture.ts";

let now = 1000;
vi.mock(import("../../../../bootstrap/os/clock.ts"), () => ({ boottime: () => now }));
const { lines } = captureLog();

let folder: string;
beforeEach(() => {
  vi.clearAllMocks();
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-page-cache-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("reads every file to its end, and again after ten minutes", async () => {
  const files = [3_000_000, 0, 17].map((bytes, index) => {
    const path = join(folder, String(index));
    writeFileSync(path, Buffer.alloc(bytes));
    return path;
  });
  const listFiles = vi.fn<() => string[]>(() => files);
  const warmer = new PageCacheWarmer(listFiles);
  await Promise.all([warmer.poll(), warmer.poll()]);
  expect(lines()).toMatchObject([{ event: "page-cache.warmed", files: 3, bytes: 3_000_017 }]);
  expect(listFiles).toHaveBeenCalledTimes(1);
  now += 600;
  await warmer.poll();
  expect(listFiles).toHaveBeenCalledTimes(2);
});

test("logs a file that does not exist", async () => {
  await new PageCacheWarmer(() => [join(folder, "missing")]).poll();
  expect(lines()).toMatchObject([
    { event: "page-cache.failed", error: { message: expect.stringMatching(/ENOENT/) as string } },
  ]);
});
