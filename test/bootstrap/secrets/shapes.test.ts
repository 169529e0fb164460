import { describe, expect, test } from "vitest";
import { parseCredentials, parsePassword, parseSeed } from "../../../bootstrap/secrets/shapes.ts";

const seed = Buffer.from("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hex");

describe("a seed", () => {
  test.each([
    ["hex", seed.toString("hex")],
    ["upper-case hex", seed.toString("hex").toUpperCase()],
    ["base64", seed.toString("base64")],
    ["base64 with a line break", `${seed.toString("base64")}\n`],
    ["hex in JSON", JSON.stringify({ channelSeed: "x", nodeSeed: seed.toString("hex") })],
    [
      "hex that `xxd -p` wrapped after 30 bytes",
      `${seed.toString("hex", 0, 30)}\n${seed.toString("hex", 30)}\n`,
    ],
    ["hex in groups", seed.toString("hex").replaceAll(/(.{4})/g, "$1 ")],
  ])("is parsed from %s", (_title, text) => {
    expect(Buffer.from(parseSeed(text, "nodeSeed", "s")).equals(seed)).toBe(true);
  });

  test.each([
    ["31 bytes of hex", seed.subarray(1).toString("hex")],
    ["33 bytes of base64", Buffer.concat([seed, Buffer.alloc(1)]).toString("base64")],
    ["63 hex digits", seed.toString("hex").slice(1)],
    ["nothing", ""],
    ["words", "twelve words that are no seed"],
    ["JSON without the key", '{"seed":"00"}'],
    ["broken JSON", '{"nodeSeed": "0001020304'],
  ])("is refused and not shown: %s", (_title, text) => {
    expect(() => parseSeed(text, "nodeSeed", "my/secret")).toThrow(
      /^secret my\/secret (must contain|contains the key `seed`)/,
    );
    const quoted = text === "" ? /^$/ : new RegExp(text.slice(2, 12));
    expect(() => parseSeed(text, "nodeSeed", "my/secret")).not.toThrow(quoted);
  });
});

test("parses the credentials that RDS writes, and ignores other keys", () => {
  const text = JSON.stringify({ username: "u", password: "p", engine: "postgres", host: "other", port: 1 });
  expect(parseCredentials(text, "s")).toEqual({ username: "u", password: "p" });
  for (const wrong of [
    "",
    "u:p",
    "[]",
    '{"username":"u"}',
    '{"username":"u","password":""}',
    '{"username":"hunter2"',
  ])
    expect(() => parseCredentials(wrong, "s")).toThrow(
      /^secret s must contain JSON with `username` and `password`/,
    );
});

test("parses a password from plain text and from JSON", () => {
  expect(parsePassword("p w\n", "s")).toBe("p w");
  expect(parsePassword('{"password":"x"}', "s")).toBe("x");
  expect(() => parsePassword("", "s")).toThrow(/must contain a password/);
});

test.each([
  [
    "an unknown key",
    '{"nodeSeed":"x","channelseed":"y"}',
    /contains the key `channelseed`.*did you mean `channelSeed`/,
  ],
  ["a key that could be a secret", '{"legal winner thank":"x"}', /a key that is not shown/],
  ["a key that occurs twice", '{"nodeSeed":"x","nodeSeed":"y"}', /contains a key twice/],
  ["a list", '{"nodeSeed":["x"]}', /a text for the key `nodeSeed`/],
])("refuses a secret with %s", (_, text, message) => {
  expect(() => parseSeed(text, "nodeSeed", "s")).toThrow(message);
});
