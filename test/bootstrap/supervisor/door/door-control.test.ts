import { beforeEach, describe, expect, test, vi } from "vitest";
import type { LeaseReport } from "../../../../bootstrap/contract/reports/instance.ts";
import type { DoorMessage, DoorStatus } from "../../../../bootstrap/door/messages.ts";
import { DoorControl } from "../../../../bootstrap/supervisor/door/door-control.ts";

const { world } = vi.hoisted(() => ({
  world: { now: 0, sent: [] as DoorMessage[], onLine: undefined as ((line: string) => void) | undefined },
}));
vi.mock("../../../../bootstrap/os/clock.ts", () => ({ boottime: () => world.now }));
// vitest's clock does not replace the timers of this module.
vi.mock("node:timers/promises", () => ({
  setTimeout: async (milliseconds: number) =>
    await new Promise((resolve) => void setTimeout(resolve, milliseconds)),
}));
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
const report = (status: Omit<DoorStatus, "report">, connections: Partial<typeof counters> = {}) =>
  world.onLine?.(JSON.stringify({ ...status, report: { ...counters, ...connections } }));
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

describe("a host that leaves its target groups", () => {
  const isLeaving = () => {
    door.follow(free, hosts, undefined, { isStopping: true, until: 0, answers: false });
    return world.sent.at(-1)?.isLeaving;
  };
  /** Lets the drain read the clock and the report again. */
  const pass = async (seconds: number) => {
    world.now += seconds;
    await vi.advanceTimersByTimeAsync(1000);
  };
  let ended = false;
  const drain = (seconds: number) => {
    ended = false;
    void door.drain(seconds).then(() => (ended = true));
  };
  const serve = (connections: Partial<typeof counters>) => report({ answeredSecondsAgo: 0 }, connections);
  beforeEach(() => {
    vi.useFakeTimers();
    return () => vi.useRealTimers();
  });

  test("leads peers to the active Eclair for the time of the drain, then closes their connections", async () => {
    serve({ passing: 2 });
    drain(150);
    for (let halfSecond = 0; halfSecond < 299; halfSecond += 1) {
      await pass(0.5);
      serve({ passing: 2 });
    }
    expect(isLeaving()).toBe(false);
    await pass(0.5);
    serve({ held: 1 });
    await pass(0.5);
    expect(isLeaving()).toBe(true);
    expect(ended).toBe(false);
    serve({});
    await pass(1);
    expect(ended).toBe(true);
  });

  test("does not wait when no Eclair is active", async () => {
    report({ answeredSecondsAgo: 11 });
    drain(150);
    await pass(1);
    expect(ended).toBe(true);
  });

  test("waits for the Eclair of another host that starts slowly, also when its door does not report", async () => {
    const held: LeaseReport = {
      ...{ known: true, holderEclairInstanceId: "theirs", holderAddress: "100.64.4.9" },
      remainingSeconds: 30,
    };
    door.follow(held, hosts, undefined, { isStopping: true, until: 0, answers: false });
    report({ answeredSecondsAgo: 11 });
    drain(150);
    await pass(20);
    expect(ended).toBe(false);
    await pass(130);
    expect(ended).toBe(true);
  });

  test("does not wait for ever for a connection that does not end", async () => {
    serve({ passing: 1 });
    drain(0);
    await pass(1);
    expect(ended).toBe(false);
    await pass(30);
    expect(ended).toBe(true);
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

test("the door receives every later deadline when the last one is near", () => {
  const follow = (until: number) =>
    door.follow(free, hosts, slot, { isStopping: false, until, answers: true });
  follow(102.5);
  world.now = 101.6;
  follow(102.6);
  expect(world.sent.at(-1)).toMatchObject({ own: { until: 102.6 } });
});

test("new connections are held as soon as Eclair is asked to stop", () => {
  door.follow(free, hosts, slot, { isStopping: true, until: 110, answers: true });
  door.follow(free, hosts, { ...slot, unit: "stopping" }, { isStopping: false, until: 110, answers: true });
  expect(world.sent.map(({ route }) => route.to)).toEqual(["nobody"]);
});
