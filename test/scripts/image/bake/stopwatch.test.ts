import { expect, test } from "vitest";
import { Stopwatch } from "../../../../scripts/image/bake/stopwatch.ts";

test("measures consecutive phases; the name of the current phase continues this phase", () => {
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
    { name: "a", startSeconds: 0, durationSeconds: 2 },
    { name: "b", startSeconds: 2, durationSeconds: 0.25 },
  ]);
  expect(stopwatch.totalSeconds).toBe(2.25);
});
