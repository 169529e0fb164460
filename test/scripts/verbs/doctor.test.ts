import { expect, test } from "vitest";
import { installSteps } from "../../../scripts/machine/steps.mjs";
import { checkPrecondition, checkStep } from "../../../scripts/verbs/doctor.ts";

const missingStep = (neededBy: "always" | "lab" | "tests") => ({
  title: "a step",
  neededBy,
  isDone: () => false,
});

test.each([
  ["always", "npm start"],
  ["lab", "npm start"],
  ["tests", "npm test"],
] as const)("a missing prerequisite that is needed by %s is installed by `%s`", (neededBy, command) => {
  expect(checkStep(missingStep(neededBy))).toEqual({
    check: "a step",
    neededBy,
    met: false,
    note: `not installed: run \`${command}\``,
  });
});

test("only `npm test` installs the Debian packages of the tests", () => {
  const steps = installSteps.filter(({ neededBy }) => neededBy === "tests");
  expect(steps.map(({ title }) => title)).toEqual(["Debian packages of the tests"]);
  for (const step of steps) expect(checkStep({ ...step, isDone: () => false }).note).toContain("`npm test`");
});

test("an installed prerequisite needs no command", () => {
  expect(checkStep({ ...missingStep("tests"), isDone: () => true })).toMatchObject({ met: true, note: "" });
});

test("a precondition that is not met is shown with its problem and its remedy", () => {
  const root = {
    title: "root",
    neededBy: "lab",
    problem: () => "the user id is 1000",
    remedy: "use root",
  } as const;
  expect(checkPrecondition(root)).toEqual({
    check: "root",
    neededBy: "lab",
    met: false,
    note: "the user id is 1000: use root",
  });
});
