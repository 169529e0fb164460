import { expect, test } from "vitest";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { bakeError, describeFailedCleanUp } from "../../../scripts/verbs/image/bake-error.ts";

const { signal } = new AbortController();
const packerFailed = new EclairAmiError({
  code: "bake.packer-failed",
  operation: "baking",
  message: "Packer ended with SIGKILL",
  remedy: "bake again",
});

test("the error of a bake contains what the bake left behind", () => {
  expect(bakeError(packerFailed, "nothing; the bake has no resources", signal, "upload")).toMatchObject({
    code: "bake.packer-failed",
    message: "Packer ended with SIGKILL",
    mayHaveChanged: "nothing; the bake has no resources",
  });
});

test("an unexpected error names the phase and keeps its cause", () => {
  const cause = new Error("unexpected answer");
  expect(bakeError(cause, "nothing", signal, "upload")).toMatchObject({
    code: "bake.failed",
    operation: 'baking, in the phase "upload"',
    message: "unexpected answer",
    cause,
  });
});

test("an interrupted bake ends with exit code 130", () => {
  expect(bakeError(new Error("aborted"), "nothing", AbortSignal.abort(), "upload")).toMatchObject({
    code: "bake.interrupted",
    exitCode: 130,
  });
});

test("a clean-up that fails names the tag of the resources", () => {
  expect(describeFailedCleanUp(new Error("no answer"), "b-1")).toBe(
    "the clean-up failed (no answer); instances with the tag eclair-ami:bake-id=b-1 can still run",
  );
});

test("a lab that was stopped leaves nothing behind", () => {
  const stopped = new EclairAmiError({
    code: "lab.stopped",
    operation: "using the lab",
    message: "the lab was stopped during this call",
    remedy: "start the lab",
  });
  expect(describeFailedCleanUp(stopped, "b-1")).toMatch(/^nothing; the lab was stopped/);
});
