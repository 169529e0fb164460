import { expect, test } from "vitest";
import { clusterOfRole, roleName } from "../../../infra/cluster/role-names.ts";

test.each(["node", "setup", "operator"] as const)("finds the cluster of a %s role", (purpose) => {
  expect(clusterOfRole(roleName("my-node", purpose))).toBe("my-node");
});
