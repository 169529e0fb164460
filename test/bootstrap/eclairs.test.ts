import { beforeEach, expect, test, vi } from "vitest";
import { Eclairs } from "../../bootstrap/supervise/eclairs.ts";
import type { Slot } from "../../bootstrap/supervise/slot.ts";
import type { Unit } from "../../bootstrap/supervise/units.ts";

const { units, killUnit } = vi.hoisted(() => ({
  units: { a: "stopped", b: "stopped" } as Record<string, "stopped" | "running">,
  killUnit: vi.fn<(name: string) => Promise<void>>(),
}));
vi.mock(import("../../bootstrap/supervise/units.ts"), () => ({
  lookAtUnits: (): Promise<Unit[]> =>
    Promise.resolve(
      [units["a"], units["b"]].map((state = "stopped") => ({
        state,
        process: state === "running" ? process.pid : 0,
        invocation: "",
      })),
    ),
  startUnit: (name) => {
    units[name.charAt("eclair@".length)] = "running";
    return Promise.resolve();
  },
  killUnit,
  isAlive: () => true,
  journalOf: () =>
    Promise.resolve("connecting to database with instanceId=22222222-2222-4222-8222-222222222222"),
  stopUnit: () => Promise.resolve(),
  bootAgain: () => Promise.resolve(),
  beginAgain: () => Promise.resolve(),
}));

let now = 1000;
vi.mock(import("../../bootstrap/supervise/clock.ts"), () => ({ boottime: () => (now += 1) }));

const onEnd = vi.fn<(slot: Slot) => void>((slot) => void slot.end());
const basis = { blocks: 1, rendered: "first", record: "of the node" };
let eclairs: Eclairs;
beforeEach(async () => {
  vi.clearAllMocks();
  units["a"] = "stopped";
  eclairs = new Eclairs({ host: "127.0.0.1", port: 1 }, onEnd);
  await eclairs.arm(basis);
  await eclairs.look();
});

test("one whose end has failed is cut off, and ended again until it is gone", async () => {
  eclairs.slots[0]?.open();
  const { open } = eclairs;
  killUnit.mockRejectedValueOnce(new Error("systemd does not answer"));
  await expect(open?.kill()).rejects.toThrow(/does not answer/);
  expect(open).toMatchObject({ opened: true, cutOff: true });
  await eclairs.tidy();
  await eclairs.tidy();
  expect(killUnit).toHaveBeenCalledTimes(3);
  units["a"] = "stopped";
  await eclairs.look();
  expect(onEnd).toHaveBeenCalledOnce();
  await eclairs.tidy();
  expect(killUnit).toHaveBeenCalledTimes(3);
});

test("one that serves is left alone", async () => {
  eclairs.slots[0]?.open();
  await eclairs.tidy();
  expect(eclairs.open).toMatchObject({ cutOff: false });
  expect(killUnit).not.toHaveBeenCalled();
});

test("one that has a way to the database is never ended for what it knows", async () => {
  eclairs.slots[0]?.open();
  await eclairs.endOthers(["second"]);
  expect(killUnit).not.toHaveBeenCalled();
});

test.each([
  ["a new block", { ...basis, blocks: 2 }],
  ["another boot", { ...basis, rendered: "second" }],
  ["another record", { ...basis, record: "moved" }],
])("an armed one is stale with %s", async (_, other) => {
  await wait(0);
  expect(eclairs.isStale(basis)).toBe(false);
  expect(eclairs.isStale(other)).toBe(true);
});

test("of two that wait the fresher one is armed, and those of another boot are ended", async () => {
  await wait(0);
  await eclairs.arm({ ...basis, rendered: "second" });
  await eclairs.look();
  expect(eclairs.armed?.name).toBe("a");
  expect(eclairs.arming?.name).toBe("b");
  await wait(1);
  expect(eclairs.armed?.name).toBe("b");
  await eclairs.endOthers(["first", "second"]);
  expect(killUnit).not.toHaveBeenCalled();
  await eclairs.endOthers(["second", "third"]);
  expect(killUnit.mock.calls).toEqual([["eclair@a.service"]]);
});

/** The Eclair of a slot comes to its gate. */
async function wait(slot: number): Promise<void> {
  const gate = eclairs.slots[slot]?.gate;
  if (gate === undefined) throw new Error("no such slot");
  vi.spyOn(gate, "waiting", "get").mockReturnValue(true);
  await eclairs.look();
}
