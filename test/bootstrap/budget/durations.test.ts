import { expect, test } from "vitest";
import { secondsOf } from "../../../bootstrap/budget/durations.ts";

test.each([
  [5000, 5],
  ["250", 0.25],
  ["30 seconds", 30],
  ["1 s", 1],
  ["2 minutes", 120],
  ["3m", 180],
  ["1.5 hours", 5400],
  ["1 day", 86_400],
  ["10 ms", 0.01],
  ["10 millis", 0.01],
  ["10 microseconds", 0.000_01],
  ["10 ns", 0.000_000_01],
])("%j is %d s", (value, seconds) => {
  expect(secondsOf(value)).toBeCloseTo(seconds, 9);
});

test("another text is no duration", () => {
  expect(() => secondsOf("soon")).toThrow("soon is not a duration");
});
