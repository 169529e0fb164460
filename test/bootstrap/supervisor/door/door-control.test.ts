import { beforeEach, describe, expect, test, vi } from "vitest";
import type { LeaseReport } from "../../../../bootstrap/contract/reports/instance.ts";
import type { DoorMessage, DoorStatus } from "../../../../bootstrap/door/messages.ts";
import { DoorControl } from "../../../../bootstrap/supervisor/door/door-control.ts";

const { world } = vi.hoisted(() => ({
  world: { now: 0, sent: [] as DoorMessage[], onLine: undefined as ((line: string) => void) | undefined },
}));
vi.mock("../../../../bootstrap/os/clock.ts", () => ({ boottime: () => world.now }));
vi.mock("../../../../bootstrap/os/helper-process.ts", () => ({
  HelperProcess: class {
    constructor(_command: string, _event: string, onLine: (line: string) => void) {
      world.onLine = onLine;
    }
    start(): void {
      // No process runs.
    }
    publish(message: DoorMessage): void {
      world.sent.push(message);
    }
  },
}));

const counters = {
  ...{ passing: 0, held: 0, acceptedTotal: 0, heldTotal: 0 },
  ...{ movedTotal: 0, expiredTotal: 0, refusedTotal: 0, cutTotal: 0 },
};
const report = (status: Omit<DoorStatus, "report">) =>
  world.onLine?.(JSON.stringify({ ...status, report: counters }));
const free: LeaseReport = { known: true, remainingSeconds: -1 };
const hosts = { otherAddresses: ["100.64.4.9"], hasDoor: () => true };
const slot = { eclairInstanceId: "ours", address: "127.0.0.2", unit: "running" } as const;

let door: DoorControl;
beforeEach(() => {
  Object.assign(world, { now: 100, sent: [] });
  door = new DoorControl("100.64.0.5");
  door.start();
});

describe("a load balancer should send connections to the host", () => {
  test("while the active Eclair answers through the door, and for ten seconds after its last answer", () => {
    expect(door.serving).toBe(false);
    report({});
    expect(door.serving).toBe(false);
    report({ answeredSecondsAgo: 0.2 });
    expect(door.serving).toBe(true);
    report({ answeredSecondsAgo: 9.9 });
    expect(door.serving).toBe(true);
    report({ answeredSecondsAgo: 10 });
    expect(door.serving).toBe(false);
  });

  test("for one second only when the door cannot reach an Eclair that is active", () => {
    report({ answeredSecondsAgo: 0.9, problem: "the path is closed" });
    expect(door.serving).toBe(true);
    expect(door.problems).toEqual(["the path is closed"]);
    report({ answeredSecondsAgo: 1, problem: "the path is closed" });
    expect(door.serving).toBe(false);
  });

  test("not when the door has reported nothing for a second", () => {
    report({ answeredSecondsAgo: 0 });
    world.now += 1.1;
    expect(door.serving).toBe(false);
    world.now += 3;
    expect(door.problems).toEqual(["the door does not report"]);
  });
});

test("the door receives a new deadline only when it has moved", () => {
  const follow = (until: number) =>
    door.follow(free, hosts, slot, { isStopping: false, until, answers: true });
  follow(110);
  follow(110.1);
  follow(110.2);
  expect(world.sent).toHaveLength(1);
  follow(110.3);
  expect(world.sent.at(-1)).toMatchObject({
    address: "100.64.0.5",
    hosts: ["100.64.4.9"],
    route: { to: "this-host" },
    own: { eclairInstanceId: "ours", until: 110.3 },
  });
  // An earlier deadline, such as that of a lease that was not renewed, is sent at once.
  follow(110.2);
  expect(world.sent.at(-1)).toMatchObject({ own: { until: 110.2 } });
});

test("new connections are held as soon as Eclair is asked to stop", () => {
  door.follow(free, hosts, slot, { isStopping: true, until: 110, answers: true });
  door.follow(free, hosts, { ...slot, unit: "stopping" }, { isStopping: false, until: 110, answers: true });
  expect(world.sent.map(({ route }) => route.to)).toEqual(["nobody"]);
});
