import { expect, test } from "vitest";
import { resultMark, type ImageTestResult } from "../../bootstrap/imagetest/result.ts";
import { parseResult } from "../../scripts/bake/image-test.ts";

const result: ImageTestResult = {
  id: "bake-1",
  instanceId: "i-1",
  imageId: "ami-1",
  passed: true,
  machineId: "m",
  bootstrapAfterSeconds: 0.6,
  checks: [{ name: "systemd is up", passed: true, detail: "running" }],
};
const line = (value: unknown) => `[   12.3] eclair-bootstrap[1]: ${resultMark}${JSON.stringify(value)}\r`;

test("the result is found behind a console's own prefix", () => {
  expect(parseResult(["noise", line(result), "login:"].join("\n"), "bake-1")).toEqual(result);
});

test.each([
  ["another test's result", line(result), "bake-2"],
  ["a line that is cut", line(result).slice(0, 120), "bake-1"],
  ["a result that lacks a field", line({ ...result, passed: undefined }), "bake-1"],
  ["an empty console", "", "bake-1"],
])("%s is no result", (_what, text, id) => {
  expect(parseResult(text, id)).toBeUndefined();
});
