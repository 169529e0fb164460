import { beforeEach, expect, test } from "vitest";
import type { Target, TargetGroup } from "../../../../scripts/lab/nlb/configuration.ts";
import { DeregisteredTargets } from "../../../../scripts/lab/nlb/deregistered-targets.ts";

const targetOf = (id: string): Target => ({ id, zone: "a", address: "100.64.0.5", port: 9735 });
const groupOf = (...ids: string[]) =>
  ({ name: "node", targets: ids.map(targetOf) }) as unknown as TargetGroup;

let now: number;
let running: Set<string>;
let deregistered: DeregisteredTargets;
const reachable = (...registered: string[]) =>
  deregistered.reachable(groupOf(...registered)).targets.map(({ id }) => id);
beforeEach(() => {
  now = 100;
  running = new Set(["i-1", "i-2"]);
  deregistered = new DeregisteredTargets(
    (id) => running.has(id),
    () => now,
  );
  reachable("i-1", "i-2");
});

test("new connections reach a target for six seconds after its deregistration", () => {
  expect(reachable("i-1")).toEqual(["i-1", "i-2"]);
  now += 5.9;
  expect(deregistered.isDue).toBe(false);
  expect(reachable("i-1")).toEqual(["i-1", "i-2"]);
  now += 0.1;
  expect(deregistered.isDue).toBe(true);
  expect(reachable("i-1")).toEqual(["i-1"]);
  expect(deregistered.isDue).toBe(false);
});

test("a target that is registered again stays", () => {
  reachable("i-1");
  reachable("i-1", "i-2");
  now += 10;
  expect(deregistered.isDue).toBe(false);
  expect(reachable("i-1")).toEqual(["i-1", "i-2"]);
});

test("a target whose instance ends after its deregistration still receives connections", () => {
  reachable("i-1");
  running.delete("i-2");
  now += 5.9;
  expect(reachable("i-1")).toEqual(["i-1", "i-2"]);
});

test("an instance that ends while it is registered is no target any more", () => {
  running.delete("i-2");
  expect(reachable("i-1")).toEqual(["i-1"]);
});

test("a group without a load balancer is forgotten", () => {
  reachable("i-1");
  deregistered.keepGroups([]);
  now += 10;
  expect(deregistered.isDue).toBe(false);
});
