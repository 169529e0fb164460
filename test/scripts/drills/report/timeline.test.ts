import { describe, expect, test } from "vitest";
import { layOutTimeline, ticksOf } from "../../../../scripts/drills/report/timeline.ts";
import { sampleRun } from "../../../support/drill-results.ts";

describe("the ticks of a time axis", () => {
  test.each([
    [{ from: -1_500, to: 6_000 }, Array.from({ length: 16 }, (_, index) => (index - 3) * 500)],
    [{ from: -1_500, to: 13_800 }, Array.from({ length: 15 }, (_, index) => (index - 1) * 1_000)],
    [{ from: -1_500, to: 130_000 }, Array.from({ length: 14 }, (_, index) => index * 10_000)],
  ])("between %o are round numbers with the fault at zero", (range, ticks) => {
    expect(ticksOf(range).map(({ at }) => at + 0)).toEqual(ticks);
  });

  test.each([500, 1_000, 5_000, 9_000, 30_000, 300_000, 3_600_000])(
    "are at least 3 and at most 17 when the timeline ends after %d ms",
    (to) => {
      const { length } = ticksOf({ from: -1_500, to });
      expect(length).toBeGreaterThanOrEqual(3);
      expect(length).toBeLessThanOrEqual(17);
    },
  );
});

describe("the timeline of a run", () => {
  const drill = {
    name: "kill-eclair",
    title: "Eclair is killed with SIGKILL",
    execute: async () => undefined,
  };

  test("ends six seconds after the node serves through the load balancer again", () => {
    const { fault, ticks } = layOutTimeline(sampleRun(drill, 1));
    expect(fault).toBe(`${((1_500 / 8_850) * 100).toFixed(2)}%`);
    const labels = ticks.map(({ label }) => label);
    expect(labels.slice(0, 3)).toEqual(["−1", "0", "1"]);
    expect(labels.at(-1)).toBe("7");
    expect(ticks.filter(({ isMinor }) => !isMinor).map(({ label }) => label)).toContain("0");
  });

  test("shows the lease of each host until the next host takes the lease", () => {
    const [active, standby, loadBalancer] = layOutTimeline(sampleRun(drill, 1)).rows;
    expect(active?.lease).toEqual([{ left: "0.00%", width: `${((2_400 / 8_850) * 100).toFixed(2)}%` }]);
    expect(standby?.lease).toHaveLength(1);
    expect(loadBalancer?.lease).toEqual([]);
  });
});
