import { beforeEach, expect, test, vi } from "vitest";
import { Eclairs } from "../../bootstrap/supervise/eclairs.ts";
import type { Slot } from "../../bootstrap/supervise/slot.ts";
import type { Unit } from "../../bootstrap/supervise/units.ts";

const { units, killUnit } = vi.hoisted(() => ({
  units: { a: "stopped", b: "stopped" } as Record<"a" | "b", "stopped" | "running">,
  killUnit: vi.fn<(name: string) => Promise<void>>(),
}));
vi.mock(import("../../bootstrap/supervise/units.ts"), () => ({
  lookAtUnits: (): Promise<Unit[]> =>
    Promise.resolve(
      [units.a, units.b].map((state) => ({
        state,
        process: state === "running" ? process.pid : 0,
        invocation: "",
      })),
    ),
  startUnit: () => {
    units.a = "running";
    return Promise.resolve();
  },
  killUnit,
  isAlive: () => true,
  journalOf: () => Promise.resolve(""),
  stopUnit: () => Promise.resolve(),
  bootAgain: () => Promise.resolve(),
}));

let now = 1000;
vi.mock(import("../../bootstrap/supervise/clock.ts"), () => ({ boottime: () => (now += 1) }));

const onEnd = vi.fn<(slot: Slot) => void>((slot) => void slot.end());
let eclairs: Eclairs;
beforeEach(async () => {
  vi.clearAllMocks();
  units.a = "stopped";
  eclairs = new Eclairs({ host: "127.0.0.1", port: 1 }, onEnd);
  await eclairs.arm({ blocks: 1 });
  await eclairs.look();
  eclairs.slots[0]?.open();
});

test("one whose end has failed is cut off, and ended again until it is gone", async () => {
  const { open } = eclairs;
  killUnit.mockRejectedValueOnce(new Error("systemd does not answer"));
  await expect(open?.kill()).rejects.toThrow(/does not answer/);
  expect(open).toMatchObject({ opened: true, cutOff: true });
  await eclairs.tidy();
  await eclairs.tidy();
  expect(killUnit).toHaveBeenCalledTimes(3);
  units.a = "stopped";
  await eclairs.look();
  expect(onEnd).toHaveBeenCalledOnce();
  await eclairs.tidy();
  expect(killUnit).toHaveBeenCalledTimes(3);
});

test("one that serves is left alone", async () => {
  await eclairs.tidy();
  expect(eclairs.open).toMatchObject({ cutOff: false });
  expect(killUnit).not.toHaveBeenCalled();
});
