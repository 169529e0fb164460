import { expect, test } from "vitest";
import type { NodeStatus } from "../../scripts/nodes/status.ts";
import { chooseStandby } from "../../scripts/nodes/switchover.ts";

const now = new Date("2026-01-01T00:01:00.000Z");

function node(name: string, state: object, toldAt = "2026-01-01T00:00:55.000Z"): NodeStatus {
  const told = { active: false, role: "standby", reasons: [], nodeId: "02aa", eclair: { armed: "yes" } };
  return {
    ...{ instanceId: `i-${name}`, name, cluster: "demo", instance: "running", imageId: "ami-1" },
    ...{ address: "", zone: "", targetHealth: [], boot: { said: "done", failed: false, gaveUp: false } },
    state: { ...told, ...state } as unknown as NonNullable<NodeStatus["state"]>,
    toldAt,
  };
}
const active = node("a", { active: true, role: "active", eclair: { armed: "no" } });
const choose = (statuses: NodeStatus[], to?: string, force = false) =>
  chooseStandby(statuses, { to, force, now }).to.name;

test("a ready standby takes over, by id, by name, or any", () => {
  const both = [active, node("b", {}), node("c", {})];
  expect(choose(both)).toBe("b");
  expect(choose(both, "c")).toBe("c");
  expect(choose(both, "i-c")).toBe("c");
  expect(choose([active, node("b", { role: "waiting" }), node("c", {})])).toBe("c");
  expect(choose([active, node("b", { eclair: { armed: "no", armsLate: true } })])).toBe("b");
});

test.each<[string, NodeStatus[], RegExp]>([
  ["nobody is active", [node("b", {})], /no instance of this cluster is active/],
  ["there is no other", [active], /there is no other instance/],
  [
    "it could not run Eclair",
    [active, node("b", { role: "waiting", reasons: ["bitcoind is syncing"] })],
    /waiting; bitcoind is syncing/,
  ],
  ["its Eclair is not armed", [active, node("b", { eclair: { armed: "starting" } })], /not armed/],
  ["it has been silent", [active, node("b", {}, "2026-01-01T00:00:00.000Z")], /silent for 60 s/],
  ["it is another node", [active, node("b", { nodeId: "02bb" })], /another node/],
])("it is refused when %s", (_what, statuses, reason) => {
  expect(() => choose(statuses)).toThrow(reason);
});

test("forced, a standby that is not ready will do; an absent one will not", () => {
  const waiting = node("b", { role: "waiting" });
  expect(choose([active, waiting], "b", true)).toBe("b");
  expect(() => choose([active, waiting], "c", true)).toThrow(/no other instance c/);
});
