import { expect, test } from "vitest";
import { Stopwatch } from "../../scripts/bake/stopwatch.ts";

test("phases follow one another, and one that is named twice just goes on", () => {
  let now = 0;
  const stopwatch = new Stopwatch(() => now);
  stopwatch.begin("a");
  now = 1500;
  stopwatch.begin("a");
  now = 2000;
  stopwatch.begin("b");
  now = 2250;
  stopwatch.stop();
  expect(stopwatch.phases).toEqual([
    { phase: "a", start: 0, seconds: 2 },
    { phase: "b", start: 2, seconds: 0.25 },
  ]);
  expect(stopwatch.totalSeconds).toBe(2.25);
});
