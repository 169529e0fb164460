import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LeaseReleaser } from "../../../../bootstrap/supervisor/lease/lease-releaser.ts";
import { captureLog } from "../../../support/log-capture.ts";

let now = 0;
vi.mock(import("../../../../bootstrap/os/clock.ts"), () => ({ boottime: () => now }));
const { lines } = captureLog();
const expireLease = vi.fn<(eclairInstanceId: string) => Promise<boolean>>();

let folder: string;
let path: string;
beforeEach(() => {
  vi.clearAllMocks();
  now = 0;
  expireLease.mockReset();
  expireLease.mockResolvedValue(true);
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-lease-releaser-"));
  path = join(folder, "holder");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const newReleaser = () => new LeaseReleaser(() => ({ expireLease }), path);

test("releases no lease before an Eclair has ended, and stores the id of the Eclair for root only", async () => {
  const releaser = newReleaser();
  releaser.resume();
  releaser.remember("first");
  await releaser.retry();
  expect(expireLease).not.toHaveBeenCalled();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("releases the lease of an Eclair that ended once, logs it, and forgets the Eclair", async () => {
  const releaser = newReleaser();
  releaser.remember("first");
  releaser.release("first");
  await vi.waitFor(() => expect(existsSync(path)).toBe(false));
  await releaser.retry();
  expect(expireLease.mock.calls).toEqual([["first"]]);
  expect(lines()).toEqual([{ level: "info", event: "lease.released", eclairInstanceId: "first" }]);
});

test("tries again until the database answers", async () => {
  expireLease.mockRejectedValueOnce(new Error("not reachable"));
  const releaser = newReleaser();
  releaser.release("first");
  await vi.waitFor(() =>
    expect(lines()).toEqual([
      {
        level: "warn",
        event: "lease.release-failed",
        eclairInstanceId: "first",
        error: { message: "not reachable" },
      },
    ]),
  );
  await releaser.retry();
  await releaser.retry();
  expect(expireLease).toHaveBeenCalledTimes(2);
});

test("settles when the lease is known to be free", async () => {
  expireLease.mockRejectedValueOnce(new Error("not reachable"));
  const releaser = newReleaser();
  await releaser.settle();
  expect(expireLease).not.toHaveBeenCalled();
  releaser.remember("first");
  releaser.release("first");
  await releaser.settle();
  expect(existsSync(path)).toBe(false);
});

test("leaves the lease to the next supervisor when the database does not answer for five seconds", async () => {
  expireLease.mockRejectedValue(new Error("not reachable"));
  const releaser = newReleaser();
  releaser.remember("first");
  releaser.release("first");
  const settled = releaser.settle();
  await vi.waitFor(() => expect(expireLease.mock.calls.length).toBeGreaterThan(1));
  now = 5;
  await settled;
  expect(existsSync(path)).toBe(true);
});

test("releases the lease that an earlier supervisor left", async () => {
  newReleaser().remember("first");
  const releaser = newReleaser();
  releaser.resume();
  await releaser.retry();
  expect(expireLease.mock.calls).toEqual([["first"]]);
  expect(existsSync(path)).toBe(false);
});

test("keeps the id of the next Eclair, which may hold the lease already, when it releases the previous lease", async () => {
  expireLease.mockRejectedValueOnce(new Error("not reachable"));
  const releaser = newReleaser();
  releaser.remember("first");
  releaser.release("first");
  releaser.remember("second");
  await releaser.retry();
  expect(expireLease).toHaveBeenCalledTimes(2);
  expect(readFileSync(path, "utf8")).toBe("second");
});

test("also releases the lease of an Eclair that ends while the previous lease is being released", async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  expireLease.mockReturnValueOnce(promise);
  const releaser = newReleaser();
  releaser.release("first");
  releaser.remember("second");
  releaser.release("second");
  resolve(true);
  await vi.waitFor(() => expect(existsSync(path)).toBe(false));
  expect(expireLease.mock.calls).toEqual([["first"], ["second"]]);
  expect(lines()).toEqual([{ level: "info", event: "lease.released", eclairInstanceId: "second" }]);
});
