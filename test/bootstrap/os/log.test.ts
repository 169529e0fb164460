import { beforeEach, expect, test } from "vitest";
import { ChangeLog } from "../../../bootstrap/os/log.ts";
import { captureLog } from "../../support/log-capture.ts";

const { lines, clear } = captureLog();
beforeEach(() => {
  clear();
});

test("logs a state once while it does not change", () => {
  const changes = new ChangeLog("drift.failed");
  changes.log("drift.detected", { action: "none: active" });
  changes.log("drift.detected", { action: "none: active" });
  changes.log("drift.detected", { action: "none: refused" });
  expect(lines()).toEqual([
    { level: "info", event: "drift.detected", action: "none: active" },
    { level: "info", event: "drift.detected", action: "none: refused" },
  ]);
});

test("logs a state again after the state was normal", () => {
  const changes = new ChangeLog("drift.failed");
  changes.log("drift.detected", { action: "none: active" });
  changes.reset();
  changes.log("drift.detected", { action: "none: active" });
  expect(lines()).toHaveLength(2);
});

test("logs no second line when only a duration differs", () => {
  const changes = new ChangeLog("page-cache.failed");
  changes.log("page-cache.warmed", { files: 3, durationMs: 20 }, 3);
  changes.log("page-cache.warmed", { files: 3, durationMs: 30 }, 3);
  expect(lines()).toEqual([{ level: "info", event: "page-cache.warmed", files: 3, durationMs: 20 }]);
});

test("logs one warning for errors of one kind with different messages, and a second for another kind", () => {
  const changes = new ChangeLog("report.failed");
  changes.logError(new Error("connect ETIMEDOUT 10.0.0.1"));
  changes.logError(new Error("connect ETIMEDOUT 10.0.0.2"));
  changes.logError(new TypeError("no table"));
  expect(lines()).toEqual([
    { level: "warn", event: "report.failed", error: { message: "connect ETIMEDOUT 10.0.0.1" } },
    { level: "warn", event: "report.failed", error: { message: "no table" } },
  ]);
});
