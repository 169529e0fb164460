import { describe, expect, test } from "vitest";
import {
  parseCredentials,
  parseOnChainSecret,
  parsePassword,
  parseSeed,
} from "../../../bootstrap/secrets/shapes.ts";

const seed = Buffer.from("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hex");

describe("a seed", () => {
  test.each([
    ["hex", seed.toString("hex")],
    ["upper-case hex", seed.toString("hex").toUpperCase()],
    ["base64", seed.toString("base64")],
    ["base64 with a line break", `${seed.toString("base64")}\n`],
    ["hex in JSON", JSON.stringify({ channelSeed: "x", nodeSeed: seed.toString("hex") })],
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
    expect(() => parseSeed(text, "nodeSeed", "my/secret")).toThrow(/^secret my\/secret must contain/);
    const quoted = text === "" ? /^$/ : new RegExp(text.slice(1, 12));
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

const mnemonic = `${"abandon ".repeat(11)}about`;

test.each([
  ["alone", `${mnemonic}\n`, { mnemonic, passphrase: "", birthday: 0 }],
  ["in JSON", JSON.stringify({ mnemonic }), { mnemonic, passphrase: "", birthday: 0 }],
  [
    "with passphrase and birthday",
    JSON.stringify({ mnemonic, passphrase: "x", birthday: 1_700_000_000 }),
    { mnemonic, passphrase: "x", birthday: 1_700_000_000 },
  ],
  [
    "with a date",
    JSON.stringify({ mnemonic, birthday: "2026-01-01" }),
    { mnemonic, passphrase: "", birthday: 1_767_225_600 },
  ],
])("parses an on-chain secret %s", (_title, text, secret) => {
  expect(parseOnChainSecret(text, "s")).toEqual(secret);
});

test.each([
  "",
  mnemonic.replace("about", "abandon"),
  `{"mnemonic":"${mnemonic}","birthday":"soon"}`,
  '{"mnemonic',
])("refuses an invalid on-chain secret, and does not show it: %j", (text) => {
  expect(() => parseOnChainSecret(text, "my/secret")).toThrow(
    /^secret my\/secret must contain a BIP39 mnemonic/,
  );
  expect(() => parseOnChainSecret(text, "my/secret")).not.toThrow(/abandon/);
});
