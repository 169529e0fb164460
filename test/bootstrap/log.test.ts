import { beforeEach, expect, test } from "vitest";
import { ChangeLog } from "../../bootstrap/log.ts";
import { logged } from "../support/logged.ts";

const { lines: said, clear } = logged();
beforeEach(() => {
  clear();
});

test("what has not changed is said once", () => {
  const changes = new ChangeLog("table");
  changes.tell({ failed: "throttled" });
  changes.tell({ failed: "throttled" });
  changes.tell({ failed: "denied" });
  expect(said()).toEqual([
    { eclairAmi: "table", failed: "throttled" },
    { eclairAmi: "table", failed: "denied" },
  ]);
});

test("what comes back after all was well is said again", () => {
  const changes = new ChangeLog("table");
  changes.tell({ failed: "throttled" });
  changes.clear();
  changes.tell({ failed: "throttled" });
  expect(said()).toHaveLength(2);
});

test("how long it took is said and is no change", () => {
  const changes = new ChangeLog("read");
  changes.tell({ files: 3, milliseconds: 20 }, 3);
  changes.tell({ files: 3, milliseconds: 30 }, 3);
  expect(said()).toEqual([{ eclairAmi: "read", files: 3, milliseconds: 20 }]);
});

test("one failure in other words is said once, and another one is said", () => {
  const changes = new ChangeLog("table");
  changes.fail(new Error("no way to 10.0.0.1"));
  changes.fail(new Error("no way to 10.0.0.2"));
  changes.fail(new TypeError("no table"));
  expect(said()).toEqual([
    { eclairAmi: "table", failed: "no way to 10.0.0.1" },
    { eclairAmi: "table", failed: "no table" },
  ]);
});
