import { expect, test } from "vitest";
import { addressProblem } from "../../../bootstrap/database/verify.ts";

test("the database must see an address of the host itself", () => {
  expect(addressProblem("10.0.9.7", "10.0.9.7")).toBeUndefined();
  expect(addressProblem("10.0.1.250", "10.0.9.7")).toMatch(
    /sees this host as 10\.0\.1\.250, but its own address is 10\.0\.9\.7/,
  );
  expect(addressProblem(undefined, "10.0.9.7")).toMatch(/does not know the address/);
});
