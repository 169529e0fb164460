import { beforeEach, expect, test, vi } from "vitest";
import { EclairProcesses } from "../../../bootstrap/eclair/processes.ts";
import type { Slot } from "../../../bootstrap/eclair/slot.ts";
import type { Unit } from "../../../bootstrap/os/systemd.ts";

const { units, readUnits, killUnit } = vi.hoisted(() => {
  const states: Record<string, Unit["state"]> = { a: "stopped", b: "stopped" };
  return {
    units: states,
    readUnits: vi.fn<() => Promise<Unit[]>>(() =>
      Promise.resolve(
        [states["a"], states["b"]].map((state = "stopped") => ({
          state,
          pid: state === "stopped" ? 0 : process.pid,
          invocationId: "",
        })),
      ),
    ),
    killUnit: vi.fn<(name: string) => Promise<void>>(),
  };
});
vi.mock(import("../../../bootstrap/os/systemd.ts"), () => ({
  readUnits,
  startUnit: (name) => {
    units[name.charAt("eclair@".length)] = "running";
    return Promise.resolve();
  },
  killUnit,
  isAlive: () => true,
  readJournal: () =>
    Promise.resolve("connecting to database with instanceId=22222222-2222-4222-8222-222222222222"),
  stopUnit: () => Promise.resolve(),
  rerunBoot: () => Promise.resolve(),
  restartSupervisor: () => Promise.resolve(),
}));

let now = 1000;
vi.mock(import("../../../bootstrap/os/clock.ts"), () => ({ boottime: () => (now += 1) }));

const onEnd = vi.fn<(slot: Slot) => void>((slot) => void slot.markEnded());
const inputs = { blocks: 1, rendered: "first", record: "content of the record" };
let processes: EclairProcesses;
beforeEach(async () => {
  vi.clearAllMocks();
  units["a"] = "stopped";
  processes = new EclairProcesses({ host: "127.0.0.1", port: 1 }, onEnd);
  await processes.arm(inputs);
  await processes.poll();
});

test("an Eclair whose kill failed is cut off from the database, and killed again until it has ended", async () => {
  processes.slots[0]?.open();
  const { open } = processes;
  killUnit.mockRejectedValueOnce(new Error("systemd does not answer"));
  await expect(open?.kill()).rejects.toThrow(/does not answer/);
  expect(open).toMatchObject({ opened: true, cutOff: true });
  await processes.killUnwanted();
  await processes.killUnwanted();
  expect(killUnit).toHaveBeenCalledTimes(3);
  units["a"] = "stopped";
  await processes.poll();
  expect(onEnd).toHaveBeenCalledOnce();
  await processes.killUnwanted();
  expect(killUnit).toHaveBeenCalledTimes(3);
});

test("an Eclair that is asked to stop is stopping at once, before systemd is asked again", async () => {
  processes.slots[0]?.open();
  await processes.open?.stop();
  expect(processes.open?.unit).toBe("stopping");
});

test("the units are read at each poll, and every five seconds while no Eclair starts, stops or is connected", async () => {
  const readsIn = async (polls: number) => {
    readUnits.mockClear();
    for (let poll = 0; poll < polls; poll += 1) await processes.pollIfDue();
    return readUnits.mock.calls.length;
  };
  // An Eclair starts.
  expect(await readsIn(12)).toBe(12);
  await reachGate(0);
  // Each read of the clock in this file takes a second.
  expect([2, 3]).toContain(await readsIn(12));
  units["a"] = "stopping";
  await processes.poll();
  expect(await readsIn(12)).toBe(12);
  units["a"] = "running";
  await processes.poll();
  processes.slots[0]?.open();
  expect(await readsIn(12)).toBe(12);
});

test("an Eclair that is connected to the database is not killed", async () => {
  processes.slots[0]?.open();
  await processes.killUnwanted();
  expect(processes.open).toMatchObject({ cutOff: false });
  expect(killUnit).not.toHaveBeenCalled();
});

test("an Eclair that is connected to the database is not killed for its outdated inputs", async () => {
  processes.slots[0]?.open();
  await processes.killOutdated(["second"]);
  expect(killUnit).not.toHaveBeenCalled();
});

test.each([
  ["a new block", { ...inputs, blocks: 2 }],
  ["the files of another boot", { ...inputs, rendered: "second" }],
  ["another content of the cluster record", { ...inputs, record: "other" }],
])("an armed Eclair is outdated after %s", async (_title, other) => {
  await reachGate(0);
  expect(processes.isStale(inputs)).toBe(false);
  expect(processes.isStale(other)).toBe(true);
});

test("the later of two armed Eclairs counts, and an Eclair with the files of a retired boot is killed", async () => {
  await reachGate(0);
  await processes.arm({ ...inputs, rendered: "second" });
  await processes.poll();
  expect(processes.armed?.name).toBe("a");
  expect(processes.arming?.name).toBe("b");
  await reachGate(1);
  expect(processes.armed?.name).toBe("b");
  await processes.killOutdated(["first", "second"]);
  expect(killUnit).not.toHaveBeenCalled();
  await processes.killOutdated(["second", "third"]);
  expect(killUnit.mock.calls).toEqual([["eclair@a.service"]]);
});

/** The Eclair of a slot reaches its gate. */
async function reachGate(slot: number): Promise<void> {
  const gate = processes.slots[slot]?.gate;
  if (gate === undefined) throw new Error(`slot ${slot} does not exist`);
  vi.spyOn(gate, "waiting", "get").mockReturnValue(true);
  await processes.poll();
}
