import { expect, test } from "vitest";
import { z } from "zod";
import { plainMessage } from "../../../bootstrap/contract/plain-messages.ts";

const schemas = {
  text: z.string(),
  letters: z.string().regex(/^[a-z]+$/),
  own: z.string().regex(/^[a-z]+$/, "must have letters only"),
  short: z.string().max(3),
  long: z.string().min(3),
  whole: z.int(),
  small: z.number().min(6),
  positive: z.number().positive(),
  large: z.number().max(6),
  even: z.number().multipleOf(2),
  flag: z.boolean(),
  list: z.array(z.string()).min(1),
  many: z.array(z.string()).max(1),
  mapping: z.record(z.string(), z.string()),
  address: z.ipv4(),
  network: z.cidrv6(),
  time: z.iso.datetime(),
  one: z.literal("a"),
  choice: z.enum(["a", "b"]),
  either: z.union([z.string(), z.int()]),
  strict: z.strictObject({}),
} as const;

test.each([
  ["text", 5, "must be a text, and is a whole number"],
  ["text", undefined, "is missing"],
  ["text", null, "must be a text, and is empty"],
  ["letters", "5", "must match the pattern /^[a-z]+$/"],
  ["own", "5", "must have letters only"],
  ["short", "four", "must have at most 3 characters"],
  ["long", "ab", "must have at least 3 characters"],
  ["whole", 1.5, "must be a whole number, and is a number"],
  ["whole", "1", "must be a number, and is a text"],
  ["small", 5, "must be at least 6"],
  ["positive", 0, "must be greater than 0"],
  ["large", 7, "must be at most 6"],
  ["even", 3, "must be a multiple of 2"],
  ["flag", "yes", "must be true or false, and is a text"],
  ["list", [], "must have at least 1 entries"],
  ["many", ["a", "b"], "must have at most 1 entries"],
  ["mapping", [], "must be a mapping, and is a list"],
  ["address", "::1", "must be an IPv4 address"],
  ["network", "10.0.0.0/8", "must be an IPv6 network"],
  ["time", "today", "must be a time in ISO 8601"],
  ["one", "b", "must be a"],
  ["choice", "c", "must be one of a, b"],
  ["either", true, "has an invalid value"],
  ["strict", { a: 1, b: 2 }, "has keys that are not known: a, b"],
] as const)("%s: %j %s", (name, value, message) => {
  const { error } = schemas[name].safeParse(value, { error: plainMessage });
  expect(error?.issues[0]?.message).toBe(message);
});
