import { expect, test } from "vitest";
import { addressProblem } from "../../../bootstrap/database/verify.ts";

test("the database must see an address of the host itself", () => {
  const own = ["10.0.1.7", "10.0.9.7"];
  expect(addressProblem("10.0.9.7", own)).toBeUndefined();
  expect(addressProblem("10.0.1.250", own)).toMatch(/sees this host as 10\.0\.1\.250, which is none of/);
  expect(addressProblem(undefined, own)).toMatch(/does not know the address/);
});
