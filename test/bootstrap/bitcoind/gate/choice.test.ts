import { expect, test } from "vitest";
import { Announcements } from "../../../../bootstrap/bitcoind/gate/announcements.ts";
import { choose, isBehind, missingBlocks, type Level } from "../../../../bootstrap/bitcoind/gate/choice.ts";

const candidates = (...levels: [Level, number][]) =>
  levels.map(([level, levelForSeconds], index) => ({ name: "abc"[index] ?? "", level, levelForSeconds }));

test.each<[string, [Level, number][], string | undefined, boolean, string | undefined]>([
  [
    "the preferred one at first",
    [
      [2, 0],
      [2, 0],
    ],
    undefined,
    true,
    "a",
  ],
  [
    "none while none can be used",
    [
      [0, 9],
      [0, 9],
    ],
    undefined,
    true,
    undefined,
  ],
  [
    "the current one while none can be used",
    [
      [0, 9],
      [0, 9],
    ],
    "b",
    true,
    "b",
  ],
  [
    "the next one when the current one fails",
    [
      [0, 0],
      [2, 5],
      [2, 9],
    ],
    "a",
    false,
    "b",
  ],
  [
    "a good one instead of a degraded one",
    [
      [1, 90],
      [2, 1],
    ],
    "a",
    false,
    "b",
  ],
  [
    "a degraded one when there is no other",
    [
      [1, 9],
      [0, 9],
    ],
    "a",
    true,
    "a",
  ],
  [
    "the current one before the preferred one has been good for a minute",
    [
      [2, 59],
      [2, 90],
    ],
    "b",
    true,
    "b",
  ],
  [
    "the preferred one after a minute",
    [
      [2, 60],
      [2, 90],
    ],
    "b",
    true,
    "a",
  ],
  [
    "the current one in the middle of a funding",
    [
      [2, 60],
      [2, 90],
    ],
    "b",
    false,
    "b",
  ],
])("chooses %s", (_name, levels, chosen, mayReturn, expected) => {
  expect(choose(candidates(...levels), chosen, mayReturn)).toBe(expected);
});

test("work decides which chain is better, not the height", () => {
  const best = { blocks: 100, chainwork: "0a" };
  expect(missingBlocks({ blocks: 98, chainwork: "08" }, best)).toBe(2);
  expect(missingBlocks({ blocks: 101, chainwork: "09" }, best)).toBe(1);
  expect(missingBlocks({ blocks: 98, chainwork: "0a" }, best)).toBe(0);
});

test("two blocks are behind after ten seconds, one block only after a minute", () => {
  const cases = [
    [0, 99],
    [1, 59],
    [1, 60],
    [2, 9],
    [2, 10],
  ] as const;
  expect(cases.map(([missing, seconds]) => isBehind(missing, seconds))).toEqual([
    false,
    false,
    true,
    false,
    true,
  ]);
});

test("a publisher that announces its blocks is not silent, and one that misses a block is", () => {
  const publisher = new Announcements();
  publisher.observe("h1", true, 0);
  expect(publisher.silentSeconds(50)).toBe(0);
  publisher.noteAnnounced("h2");
  publisher.observe("h2", true, 60);
  expect(publisher.silentSeconds(90)).toBe(0);
  publisher.observe("h3", true, 100);
  publisher.observe("h4", true, 120);
  expect(publisher.silentSeconds(130)).toBe(30);
  publisher.noteAnnounced("h4");
  publisher.observe("h4", true, 131);
  expect(publisher.silentSeconds(140)).toBe(0);
});

test("a publisher without a connection is silent", () => {
  const publisher = new Announcements();
  publisher.observe("h1", false, 10);
  publisher.observe("h1", false, 40);
  expect(publisher.silentSeconds(40)).toBe(30);
  publisher.observe("h2", true, 41);
  expect(publisher.silentSeconds(60)).toBe(0);
});
