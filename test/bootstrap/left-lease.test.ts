import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LeftLease } from "../../bootstrap/supervise/left-lease.ts";
import { logged } from "../support/logged.ts";

const { lines: said } = logged();
const release = vi.fn<(holder: string) => Promise<boolean>>();

let folder: string;
let path: string;
beforeEach(() => {
  vi.clearAllMocks();
  release.mockReset();
  release.mockResolvedValue(true);
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-left-lease-"));
  path = join(folder, "holder");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const leftLease = () => new LeftLease(() => ({ release }), path);

test("nothing is given back where no Eclair has ended", async () => {
  const left = leftLease();
  left.begin();
  left.remember("first");
  await left.giveBack();
  expect(release).not.toHaveBeenCalled();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("the lease of one that has ended is given back once, and forgotten", async () => {
  const left = leftLease();
  left.remember("first");
  left.leave("first");
  await vi.waitFor(() => expect(existsSync(path)).toBe(false));
  await left.giveBack();
  expect(release.mock.calls).toEqual([["first"]]);
  expect(said()).toEqual([{ eclairAmi: "released", eclair: "first" }]);
});

test("it is tried again until the database answers", async () => {
  release.mockRejectedValueOnce(new Error("not reachable"));
  const left = leftLease();
  left.leave("first");
  await vi.waitFor(() =>
    expect(said()).toEqual([{ eclairAmi: "release", eclair: "first", failed: "not reachable" }]),
  );
  await left.giveBack();
  await left.giveBack();
  expect(release).toHaveBeenCalledTimes(2);
});

test("what a supervisor before has left is given back by the next one", async () => {
  leftLease().remember("first");
  const left = leftLease();
  left.begin();
  await left.giveBack();
  expect(release.mock.calls).toEqual([["first"]]);
  expect(existsSync(path)).toBe(false);
});

test("where the next one may have the lease already, that stays known", async () => {
  release.mockRejectedValueOnce(new Error("not reachable"));
  const left = leftLease();
  left.remember("first");
  left.leave("first");
  left.remember("second");
  await left.giveBack();
  expect(release).toHaveBeenCalledTimes(2);
  expect(readFileSync(path, "utf8")).toBe("second");
});

test("one that ends meanwhile is not forgotten", async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  release.mockReturnValueOnce(promise);
  const left = leftLease();
  left.leave("first");
  left.remember("second");
  left.leave("second");
  resolve(true);
  await vi.waitFor(() => expect(existsSync(path)).toBe(false));
  expect(release.mock.calls).toEqual([["first"], ["second"]]);
  expect(said()).toEqual([{ eclairAmi: "released", eclair: "second" }]);
});
