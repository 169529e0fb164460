import { describe, expect, test } from "vitest";
import { credentialsIn, onChainIn, passwordIn, seedIn } from "../../bootstrap/secrets/shapes.ts";

const seed = Buffer.from("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hex");

describe("a seed", () => {
  test.each([
    ["hex", seed.toString("hex")],
    ["upper-case hex", seed.toString("hex").toUpperCase()],
    ["base64", seed.toString("base64")],
    ["base64 with a line's end", `${seed.toString("base64")}\n`],
    ["hex in JSON", JSON.stringify({ channelSeed: "x", nodeSeed: seed.toString("hex") })],
  ])("is read from %s", (_how, text) => {
    expect(Buffer.from(seedIn(text, "nodeSeed", "s")).equals(seed)).toBe(true);
  });

  test.each([
    ["31 bytes of hex", seed.subarray(1).toString("hex")],
    ["33 bytes of base64", Buffer.concat([seed, Buffer.alloc(1)]).toString("base64")],
    ["63 hex digits", seed.toString("hex").slice(1)],
    ["nothing", ""],
    ["words", "twelve words that are no seed"],
    ["JSON without the key", '{"seed":"00"}'],
    ["broken JSON", '{"nodeSeed": "0001020304'],
  ])("is refused: %s; and what is there is not shown", (_what, text) => {
    expect(() => seedIn(text, "nodeSeed", "my/secret")).toThrow(/^secret my\/secret must hold/);
    const quoted = text === "" ? /^$/ : new RegExp(text.slice(1, 12));
    expect(() => seedIn(text, "nodeSeed", "my/secret")).not.toThrow(quoted);
  });
});

test("credentials have the shape that RDS writes, whatever else it says", () => {
  const text = JSON.stringify({ username: "u", password: "p", engine: "postgres", host: "other", port: 1 });
  expect(credentialsIn(text, "s")).toEqual({ username: "u", password: "p" });
  for (const wrong of [
    "",
    "u:p",
    "[]",
    '{"username":"u"}',
    '{"username":"u","password":""}',
    '{"username":"hunter2"',
  ])
    expect(() => credentialsIn(wrong, "s")).toThrow(
      /^secret s must hold JSON with `username` and `password`/,
    );
});

test("a password is the text, or stands in JSON", () => {
  expect(passwordIn("p w\n", "s")).toBe("p w");
  expect(passwordIn('{"password":"x"}', "s")).toBe("x");
  expect(() => passwordIn("", "s")).toThrow(/must hold a password/);
});

const mnemonic = `${"abandon ".repeat(11)}about`;

test.each([
  ["alone", `${mnemonic}\n`, { mnemonic, passphrase: "", birthday: 0 }],
  ["in JSON", JSON.stringify({ mnemonic }), { mnemonic, passphrase: "", birthday: 0 }],
  [
    "with all there is",
    JSON.stringify({ mnemonic, passphrase: "x", birthday: 1_700_000_000 }),
    { mnemonic, passphrase: "x", birthday: 1_700_000_000 },
  ],
  [
    "with a date",
    JSON.stringify({ mnemonic, birthday: "2026-01-01" }),
    { mnemonic, passphrase: "", birthday: 1_767_225_600 },
  ],
])("on-chain keys are read %s", (_how, text, found) => {
  expect(onChainIn(text, "s")).toEqual(found);
});

test.each([
  "",
  mnemonic.replace("about", "abandon"),
  `{"mnemonic":"${mnemonic}","birthday":"soon"}`,
  '{"mnemonic',
])("on-chain keys that are none are refused, and not shown: %j", (text) => {
  expect(() => onChainIn(text, "my/secret")).toThrow(/^secret my\/secret must hold a BIP39 mnemonic/);
  expect(() => onChainIn(text, "my/secret")).not.toThrow(/abandon/);
});
