import { expect, test } from "vitest";
import { resultMark, type ImageTestResult } from "../../../../bootstrap/contract/reports/image-test.ts";
import { parseResult, requireValidated } from "../../../../scripts/image/bake/image-test.ts";

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

test("finds the result after the prefix of the console", () => {
  expect(parseResult(["noise", line(result), "login:"].join("\n"), "bake-1")).toEqual(result);
});

test.each([
  ["the result of another test", line(result), "bake-2"],
  ["an incomplete line", line(result).slice(0, 120), "bake-1"],
  ["a result without a field", line({ ...result, passed: undefined }), "bake-1"],
  ["an empty console", "", "bake-1"],
])("ignores %s", (_title, text, id) => {
  expect(parseResult(text, id)).toBeUndefined();
});

test("an image whose search printed no result is refused", () => {
  expect(() => requireValidated({ validation: { passed: true, detail: "nothing found" } })).not.toThrow();
  expect(() => requireValidated({ validation: { passed: false, detail: "" } })).toThrow(
    expect.objectContaining({ code: "bake.not-validated", message: "the bake printed no result" }),
  );
});
