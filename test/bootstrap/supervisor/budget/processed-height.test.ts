import { expect, test } from "vitest";
import { ProcessedHeight } from "../../../../bootstrap/supervisor/budget/processed-height.ts";

test("a block counts when Eclair has had the time to process it", () => {
  const processed = new ProcessedHeight(90);
  expect(processed.observe("one", 100, 0)).toBeUndefined();
  expect(processed.observe("one", 101, 60)).toBeUndefined();
  expect(processed.observe("one", 101, 89)).toBeUndefined();
  expect(processed.observe("one", 102, 90)).toBe(100);
  expect(processed.observe("one", 103, 179)).toBe(100);
  expect(processed.observe("one", 103, 180)).toBe(102);
});

test("another Eclair begins again: it may have missed the last blocks", () => {
  const processed = new ProcessedHeight(90);
  processed.observe("one", 100, 0);
  expect(processed.observe("one", 100, 90)).toBe(100);
  expect(processed.observe("two", 103, 91)).toBeUndefined();
  expect(processed.observe("two", 103, 181)).toBe(103);
});

test("the blocks of a branch that a reorganization removed do not count", () => {
  const processed = new ProcessedHeight(90);
  processed.observe("one", 100, 0);
  expect(processed.observe("one", 99, 90)).toBeUndefined();
  expect(processed.observe("one", 101, 180)).toBe(99);
});
