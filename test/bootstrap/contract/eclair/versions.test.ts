import { expect, test } from "vitest";
import {
  canFollow,
  keepsSchemas,
  schemaIncompatibility,
} from "../../../../bootstrap/contract/eclair/versions.ts";
import { commonSchemas } from "../../../support/schemas.ts";

test.each([
  ["0.13.0", {}, undefined],
  ["0.13.0", { channels: 11, audit: 13 }, undefined],
  ["0.13.0", { channels: 12, audit: 13 }, "too-old"],
  ["0.13.1", { channels: 11, audit: 13 }, undefined],
  ["0.13.1", { channels: 12, audit: 14 }, "too-old"],
  ["0.14.1", { channels: 11, audit: 13 }, undefined],
  ["0.14.1", { channels: 12, audit: 14 }, undefined],
  ["0.14.1", { channels: 10 }, "version-skipped"],
  ["0.13.0", { channels: 10 }, undefined],
  ["0.14.1", { channels: 12, unknown: 1 }, "too-old"],
  ["0.12.0", { channels: 11 }, "too-old"],
] as const)("whether Eclair %s may start on the schemas %o: %s", (eclair, schemas, incompatibility) => {
  expect(schemaIncompatibility(eclair, schemas)).toBe(incompatibility);
});

test("an Eclair newer than every known version may start on the schemas that it, or an older version, left", () => {
  const schemas = { channels: 15, unknown: 1 };
  expect(schemaIncompatibility("0.16.0", schemas, { version: "0.16.0", schemas })).toBeUndefined();
  expect(schemaIncompatibility("0.16.1", schemas, { version: "0.16.0", schemas })).toBeUndefined();
  expect(schemaIncompatibility("0.15.0", schemas, { version: "0.16.0", schemas })).toBe("too-old");
});

test("an Eclair counts as keeping the schemas only when its schemas are known", () => {
  const schemas = { ...commonSchemas, channels: 12, audit: 14 };
  const lastEclair = { version: "0.14.0", schemas };
  expect(keepsSchemas("0.14.1", lastEclair)).toBe(true);
  expect(keepsSchemas("0.14.0", { version: "0.13.1", schemas: { ...schemas, audit: 13 } })).toBe(false);
  // An Eclair that adds a schema changes the schemas as well.
  const { offers: _offers, ...without } = schemas;
  expect(keepsSchemas("0.14.1", { version: "0.14.0", schemas: without })).toBe(false);
  // A version that is newer than every known version keeps the schemas only if it ran last.
  expect(keepsSchemas("0.16.0", lastEclair)).toBe(false);
  expect(keepsSchemas("0.16.0", { version: "0.16.0", schemas })).toBe(true);
  expect(keepsSchemas("0.14.1", undefined)).toBe(false);
});

test.each([
  ["0.13.0", "0.13.0", true],
  ["0.13.1", "0.13.0", true],
  ["0.13.0", "0.13.1", false],
  ["0.14.0", "0.14.1", true],
  ["0.14.1", "0.14.0", true],
  ["0.16.0", "0.14.1", true],
  // What a version later than every known one does to the schemas is not known.
  ["0.14.1", "0.16.0", false],
  ["0.16.0", "0.16.0", true],
] as const)("whether Eclair %s can follow %s: %s", (eclair, previous, expected) => {
  expect(canFollow(eclair, previous)).toBe(expected);
});
