import { expect, test } from "vitest";
import type { NodeStatus } from "../../../scripts/cluster/status.ts";
import { chooseStandby } from "../../../scripts/cluster/switchover.ts";

const now = new Date("2026-01-01T00:01:00.000Z");

function node(name: string, report: object, reportedAt = "2026-01-01T00:00:55.000Z"): NodeStatus {
  const standby = {
    active: false,
    ready: true,
    role: "standby",
    reasons: [],
    nodeId: "02aa",
    eclair: { armed: "yes" },
  };
  return {
    ...{ instanceId: `i-${name}`, name, cluster: "demo", instanceState: "running", imageId: "ami-1" },
    ...{ privateIp: "", availabilityZone: "", targetHealth: [] },
    boot: { message: "done", failed: false, final: false },
    report: { ...standby, ...report } as unknown as NonNullable<NodeStatus["report"]>,
    reportedAt,
  };
}
const active = node("a", { active: true, role: "active", eclair: { armed: "no" } });
const choose = (statuses: NodeStatus[], to?: string, force = false) =>
  chooseStandby(statuses, { to, force, now }).to.name;

test("a ready standby takes over: any, or the one with the given id or name", () => {
  const both = [active, node("b", {}), node("c", {})];
  expect(choose(both)).toBe("b");
  expect(choose(both, "c")).toBe("c");
  expect(choose(both, "i-c")).toBe("c");
  expect(choose([active, node("b", { role: "waiting" }), node("c", {})])).toBe("c");
  expect(choose([active, node("b", { eclair: { armed: "no", armBeforeExpiry: true } })])).toBe("b");
});

test.each<[string, NodeStatus[], RegExp]>([
  ["no instance is active", [node("b", {})], /no instance of this cluster is active/],
  ["the cluster has one instance", [active], /the cluster has no other instance/],
  [
    "the standby cannot run Eclair",
    [active, node("b", { role: "waiting", reasons: ["bitcoind is syncing"] })],
    /waiting; bitcoind is syncing/,
  ],
  [
    "the standby is not ready",
    [active, node("b", { ready: false, reasons: ["bitcoind is 7 blocks behind the best instance"] })],
    /it is not ready; bitcoind is 7 blocks behind the best instance/,
  ],
  [
    "the Eclair of the standby is not armed",
    [active, node("b", { eclair: { armed: "starting" } })],
    /not armed/,
  ],
  [
    "the report of the standby is old",
    [active, node("b", {}, "2026-01-01T00:00:00.000Z")],
    /last report is 60 s old/,
  ],
  [
    "the load balancer does not check the standby yet",
    [active, { ...node("b", {}), targetHealth: ["initial"] }],
    /does not check it yet/,
  ],
  ["the standby is another node", [active, node("b", { nodeId: "02bb" })], /another node id/],
])("a switchover is refused when %s", (_what, statuses, reason) => {
  expect(() => choose(statuses)).toThrow(reason);
});

test("--force accepts a standby that is not ready, and does not accept an instance that does not exist", () => {
  const waiting = node("b", { role: "waiting" });
  expect(choose([active, waiting], "b", true)).toBe("b");
  expect(() => choose([active, waiting], "c", true)).toThrow(/no other instance c/);
});
