import { expect, test } from "vitest";
import { nextLogin } from "../../../../bootstrap/setup/rotation/prepare.ts";

test.each([
  ["eclair", "eclair_a"],
  ["eclair_a", "eclair_b"],
  ["eclair_b", "eclair_a"],
  ["another", "eclair_a"],
])("after the login %s comes %s", (username, next) => {
  expect(nextLogin("eclair", username)).toBe(next);
});
