import { beforeEach, describe, expect, test, vi } from "vitest";
import type { LeaseReading } from "../../../../bootstrap/supervisor/lease/node-database.ts";
import { SilenceControl } from "../../../../bootstrap/supervisor/silence/silence-control.ts";
import { captureLog } from "../../../support/log-capture.ts";

captureLog();
const { world } = vi.hoisted(() => ({
  world: {
    now: 0,
    promises: true,
    reachable: [] as string[],
    asked: [] as (readonly string[])[],
    mayPromise: (): boolean => false,
    keys: [] as (() => Buffer)[],
  },
}));
vi.mock("../../../../bootstrap/os/clock.ts", () => ({ boottime: () => world.now }));
vi.mock("../../../../bootstrap/supervisor/silence/outgoing-permit.ts", () => ({
  OutgoingPermit: class {
    renew(): void {
      // No firewall.
    }
  },
}));
vi.mock("../../../../bootstrap/supervisor/silence/host-link.ts", () => ({
  HostLink: class {
    constructor(_address: string, key: () => Buffer, mayPromise: () => boolean) {
      world.mayPromise = mayPromise;
      world.keys.push(key);
    }
    async askAll(addresses: readonly string[]): Promise<boolean> {
      world.asked.push(addresses);
      return await Promise.resolve(world.promises);
    }
    async findReachable(): Promise<string[]> {
      return await Promise.resolve(world.reachable);
    }
  },
}));

const claimLease = vi.fn<(holder: string, generation: number, sessions: string) => Promise<boolean>>();
const registerClaimant = vi.fn<(instanceId: string) => Promise<void>>();
const acknowledgeClaimants = vi.fn<(holder: string, addresses: readonly string[]) => Promise<void>>();
const readClaimants = vi.fn<() => Promise<string[]>>();

let control: SilenceControl;
beforeEach(() => {
  vi.clearAllMocks();
  claimLease.mockResolvedValue(true);
  readClaimants.mockResolvedValue(["100.64.4.9"]);
  Object.assign(world, { now: 100, promises: true, reachable: ["100.64.4.9"], asked: [] });
  world.keys = [];
  control = newControl(3);
});

const newControl = (silenceSeconds: number, hostKey = "00") =>
  new SilenceControl("100.64.0.5", silenceSeconds, () => ({
    database: { readClaimants, registerClaimant, acknowledgeClaimants },
    leaseDatabase: { claimLease },
    ...{ instanceId: "i-1", hostKey },
  }));

test("hosts with different values of silenceSeconds, and hosts of different nodes, have different keys", () => {
  newControl(3);
  newControl(10);
  newControl(3, "01");
  const [own, same, otherSilence, otherNode] = world.keys.map((key) => key().toString("hex"));
  expect(same).toBe(own);
  expect(otherSilence).not.toBe(own);
  expect(otherNode).not.toBe(own);
});

/** A statement of this host that was answered at once. */
function answer(acknowledged?: boolean): void {
  const reading: LeaseReading = {
    report: { known: true, remainingSeconds: 20 },
    observation: {
      sentAt: world.now,
      answeredAt: world.now,
      connection: 1,
      holder:
        acknowledged === undefined
          ? undefined
          : { eclairInstanceId: "other", generation: 7, acknowledged, sessions: "12 1 1 1" },
    },
  };
  control.observe(reading);
}

describe("a standby", () => {
  const readFor = async (seconds: number, isReady: boolean, acknowledged: boolean) => {
    const end = world.now + seconds;
    while (world.now < end) {
      world.now += 0.05;
      answer(acknowledged);
      await control.claimIfDue(isReady);
    }
  };

  test("claims the lease of a holder that is silent for three seconds, as it saw the holder", async () => {
    await readFor(2.9, true, true);
    expect(claimLease).not.toHaveBeenCalled();
    await readFor(0.3, true, true);
    expect(claimLease).toHaveBeenCalledWith("other", 7, "12 1 1 1");
  });

  test.each([
    ["it is not ready", false, true],
    ["the holder has not acknowledged it", true, false],
  ])("does not claim when %s", async (_, isReady, acknowledged) => {
    await readFor(5, isReady, acknowledged);
    expect(claimLease).not.toHaveBeenCalled();
  });

  test("promises not to claim only without an answer of the database, and keeps its promise", async () => {
    await readFor(1, true, true);
    expect(world.mayPromise()).toBe(false);
    world.now += 1.1;
    expect(world.mayPromise()).toBe(true);
    // The database answers again: the count began again, and the promise ends before it.
    await readFor(2.9, true, true);
    expect(claimLease).not.toHaveBeenCalled();
    await readFor(0.3, true, true);
    expect(claimLease).toHaveBeenCalled();
  });

  test("registers itself every ten seconds", async () => {
    await control.poll("standby", undefined);
    await control.poll("standby", undefined);
    expect(registerClaimant.mock.calls).toEqual([["i-1"]]);
    world.now += 11;
    await control.poll("standby", undefined);
    expect(registerClaimant).toHaveBeenCalledTimes(2);
  });
});

describe("a holder", () => {
  const settle = () =>
    new Promise((resolve) => {
      setImmediate(resolve);
    });

  test("acknowledges the claimants that it can reach, and revokes them when it cannot", async () => {
    answer();
    await control.poll("active", "own");
    expect(acknowledgeClaimants).toHaveBeenLastCalledWith("own", ["100.64.4.9"]);
    expect(control.deadline).toBe(102.5);
    world.reachable = [];
    await control.poll("active", "own");
    expect(acknowledgeClaimants).toHaveBeenLastCalledWith("own", []);
    expect(control.deadline).toBeUndefined();
  });

  test("still counts a claimant whose revocation the database did not confirm", async () => {
    answer();
    await control.poll("active", "own");
    world.reachable = [];
    acknowledgeClaimants.mockRejectedValueOnce(new Error("no answer"));
    await control.poll("active", "own");
    expect(control.deadline).toBe(102.5);
  });

  test("stays mute after its deadline, whatever it hears then", async () => {
    answer();
    await control.poll("active", "own");
    control.askIfDue(102.5);
    world.now = 102.6;
    answer();
    await settle();
    expect(control.deadline).toBe(102.5);
    expect(world.asked).toEqual([]);
  });

  test("continues while its claimants promise, and is mute when they do not", async () => {
    answer();
    await control.poll("active", "own");
    for (world.now = 100; world.now < 110; world.now += 0.05) {
      control.askIfDue(world.now);
      await settle();
    }
    expect(control.deadline).toBeGreaterThan(110);
    expect(world.asked.length).toBeGreaterThan(7);
    world.promises = false;
    for (; world.now < 113; world.now += 0.05) {
      control.askIfDue(world.now);
      await settle();
    }
    expect(control.deadline).toBeLessThan(112);
  });

  test("asks nobody, and has no deadline, when its next Eclair is connected", async () => {
    answer();
    await control.poll("active", "own");
    control.reset();
    control.askIfDue(105);
    expect(world.asked).toEqual([]);
    expect(control.deadline).toBeUndefined();
  });
});
