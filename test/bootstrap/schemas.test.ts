import { expect, test } from "vitest";
import { leavesAsIs, whyNotRun } from "../../bootstrap/eclair/schemas.ts";

test.each([
  ["0.13.0", {}, undefined],
  ["0.13.0", { channels: 11, audit: 13 }, undefined],
  ["0.13.0", { channels: 12, audit: 13 }, "older"],
  ["0.13.1", { channels: 11, audit: 13 }, undefined],
  ["0.13.1", { channels: 12, audit: 14 }, "older"],
  ["0.14.1", { channels: 11, audit: 13 }, undefined],
  ["0.14.1", { channels: 12, audit: 14 }, undefined],
  ["0.14.1", { channels: 10 }, "jump"],
  ["0.13.0", { channels: 10 }, undefined],
  ["0.14.1", { channels: 12, "a new one": 1 }, "older"],
  ["0.12.0", { channels: 11 }, "older"],
] as const)("Eclair %s on %o: %s", (eclair, schemas, why) => {
  expect(whyNotRun(eclair, schemas)).toBe(why);
});

test("an Eclair newer than all that are known goes on with what it, or an older one, has left", () => {
  const left = { channels: 15, "a new one": 1 };
  expect(whyNotRun("0.16.0", left, { version: "0.16.0", schemas: left })).toBeUndefined();
  expect(whyNotRun("0.16.1", left, { version: "0.16.0", schemas: left })).toBeUndefined();
  expect(whyNotRun("0.15.0", left, { version: "0.16.0", schemas: left })).toBe("older");
});

test("an Eclair leaves the schemas as they are only when that is known", () => {
  const schemas = {
    channels: 12,
    audit: 14,
    liquidity: 1,
    network: 4,
    offers: 1,
    payments: 8,
    peers: 5,
    pending_relay: 3,
  };
  const lastRun = { version: "0.14.0", schemas };
  expect(leavesAsIs("0.14.1", lastRun)).toBe(true);
  expect(leavesAsIs("0.14.0", { version: "0.13.1", schemas: { ...schemas, audit: 13 } })).toBe(false);
  // One that adds a schema changes them too.
  const { offers: _offers, ...without } = schemas;
  expect(leavesAsIs("0.14.1", { version: "0.14.0", schemas: without })).toBe(false);
  // Of versions to come only the one that ran last is known.
  expect(leavesAsIs("0.16.0", lastRun)).toBe(false);
  expect(leavesAsIs("0.16.0", { version: "0.16.0", schemas })).toBe(true);
  expect(leavesAsIs("0.14.1", undefined)).toBe(false);
});
