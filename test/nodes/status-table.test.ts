import { expect, test } from "vitest";
import type { InstanceState } from "../../bootstrap/supervise/state.ts";
import type { NodeStatus } from "../../scripts/nodes/status.ts";
import { statusTable } from "../../scripts/verbs/nodes.ts";

const noBoot = { said: "done", failed: false, gaveUp: false };
const healthy = {
  ...{ active: false, role: "standby", reasons: ["another Eclair holds the lease"], nodeId: "02aa" },
  eclair: { armed: "yes", armsLate: false },
  lease: { seen: true, holder: "other", remaining: 12 },
  bitcoind: { seen: true, blocks: 7 },
  record: { seen: true, generation: 1, counter: 1 },
};

/** What the table says of one instance. */
function shown(state: object | undefined, boot: NodeStatus["boot"] = noBoot, toldAt = new Date()): string {
  const status: NodeStatus = {
    ...{ instanceId: "i-1", name: "demo", cluster: "demo", instance: "running", imageId: "ami-1" },
    ...{ address: "100.64.0.7", zone: "us-east-1a", targetHealth: ["healthy"], boot },
    ...(state !== undefined && {
      state: { ...healthy, ...state } as unknown as InstanceState,
      toldAt: toldAt.toISOString(),
    }),
  };
  return statusTable([status]);
}

test("a standby says whether it is armed", () => {
  expect(shown({})).toMatch(/standby[^]*another Eclair holds the lease[^]*(?<!not) armed /);
  expect(shown({ eclair: { armed: "starting", armsLate: false } })).toMatch(/ not armed yet /);
  expect(shown({ eclair: { armed: "no", armsLate: true } })).toContain("arms when the lease");
});

test("an active one says when its record can't be mirrored, and a passive one says nothing of it", () => {
  const record = { seen: false, why: "the cluster record is gone" };
  expect(shown({ active: true, role: "active", reasons: [], record })).toContain(
    "the cluster record is gone",
  );
  expect(shown({ record })).not.toContain("the cluster record is gone");
});

test("what is old is said to be old", () => {
  const then = new Date(Date.now() - 90_000);
  expect(shown({}, noBoot, then)).toMatch(/told (89|90|91) s ago/);
  expect(shown({})).not.toContain("told");
});

test("a boot that failed is told, with the role or without one", () => {
  const failed = { said: "verify failed: database.login: refused", failed: true, gaveUp: true };
  expect(shown(undefined, failed)).toContain("verify failed: database.login");
  expect(shown({}, failed)).toMatch(/standby[^]*verify failed: database.login/);
});
