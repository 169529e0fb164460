import { expect, test } from "vitest";
import { childEnvironment } from "../../../scripts/machine/environment.mjs";

test("without a terminal, a child prints no colours, not even in CI", () => {
  const environment = childEnvironment(false, { CI: "true", FORCE_COLOR: "1" });
  expect(environment).toMatchObject({ CI: "true", NO_COLOR: "1" });
  expect(environment).not.toHaveProperty("FORCE_COLOR");
});

test("on a terminal, NO_COLOR disables colours", () => {
  const environment = childEnvironment(true, { NO_COLOR: "1", FORCE_COLOR: "1" });
  expect(environment).toMatchObject({ NO_COLOR: "1" });
  expect(environment).not.toHaveProperty("FORCE_COLOR");
});

test("on a terminal, the environment decides about colours", () => {
  expect(childEnvironment(true, { FORCE_COLOR: "1" })).toMatchObject({ FORCE_COLOR: "1" });
  expect(childEnvironment(true, {})).not.toHaveProperty("NO_COLOR");
});

test("a compile cache that the user names is kept", () => {
  expect(childEnvironment(true, { NODE_COMPILE_CACHE: "/x" })).toMatchObject({ NODE_COMPILE_CACHE: "/x" });
});
