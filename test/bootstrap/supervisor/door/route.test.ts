import { describe, expect, test } from "vitest";
import type { LeaseReport } from "../../../../bootstrap/contract/reports/instance.ts";
import type { Route } from "../../../../bootstrap/door/messages.ts";
import { routeOf, type RouteInputs } from "../../../../bootstrap/supervisor/door/route.ts";

const held = (holderEclairInstanceId: string, holderAddress?: string): LeaseReport => ({
  known: true,
  holderEclairInstanceId,
  ...(holderAddress !== undefined && { holderAddress }),
  remainingSeconds: 9,
});
const free: LeaseReport = { known: true, holderEclairInstanceId: "ours", remainingSeconds: -1 };
const unreadable: LeaseReport = { known: false, reason: "no route to the database" };
const open = {
  eclairInstanceId: "ours",
  address: "127.0.0.2",
  isStopping: false,
  answers: true,
};
const toOther: Route = {
  to: "other-host",
  eclairInstanceId: "theirs",
  address: "100.64.4.9",
  hasDoor: true,
};
const nobody: Route = { to: "nobody" };

const route = (inputs: Partial<RouteInputs>): Route =>
  routeOf({
    ownAddress: "100.64.0.5",
    lease: free,
    open: undefined,
    hasDoor: () => true,
    previous: nobody,
    ...inputs,
  });

describe("with an Eclair whose gate is open", () => {
  const toThis: Route = {
    to: "this-host",
    eclairInstanceId: "ours",
    address: "127.0.0.2",
    answers: true,
  };
  test.each([
    ["it holds the lease", held("ours", "100.64.0.5")],
    ["it has not taken the free lease yet", free],
    ["the lease cannot be read", unreadable],
  ])("connections lead to it: %s", (_title, lease) => {
    expect(route({ open, lease })).toEqual(toThis);
  });

  test("connections lead to the other host when another Eclair holds the lease", () => {
    expect(route({ open, lease: held("theirs", "100.64.4.9") })).toEqual(toOther);
  });

  test("new connections are held while it stops", () => {
    expect(route({ open: { ...open, isStopping: true }, lease: held("ours", "100.64.0.5") })).toEqual(nobody);
  });
});

describe("without such an Eclair", () => {
  test("connections lead to the holder on another host, through its door when it has one", () => {
    const lease = held("theirs", "100.64.4.9");
    expect(route({ lease })).toEqual(toOther);
    expect(route({ lease, hasDoor: () => false })).toEqual({ ...toOther, hasDoor: false });
  });

  test.each([
    ["the lease is free", free],
    ["no Eclair ever took the lease", { known: true, remainingSeconds: 0 }],
    ["the holder ended on this host", held("dead", "100.64.0.5")],
    ["the fence does not know the holder's address", held("theirs")],
  ] satisfies [string, LeaseReport][])("connections are held when %s", (_title, lease) => {
    expect(route({ lease, previous: toOther })).toEqual(nobody);
  });

  test("the last known holder remains while the lease cannot be read", () => {
    expect(route({ lease: unreadable, previous: toOther })).toEqual(toOther);
    expect(route({ lease: unreadable, previous: { ...open, to: "this-host" } })).toEqual(nobody);
  });
});
