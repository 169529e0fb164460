import { describe, expect, test } from "vitest";
import { notNormalised, parseOnChainSecret } from "../../../bootstrap/secrets/on-chain.ts";

const mnemonic = `${"abandon ".repeat(11)}about`;
const now = new Date("2026-06-01T12:00:00Z");
const parse = (text: string) => parseOnChainSecret(text, "my/secret", now);

test.each([
  ["alone", `${mnemonic}\n`, { mnemonic, passphrase: "", birthday: 0 }],
  ["in JSON", JSON.stringify({ mnemonic }), { mnemonic, passphrase: "", birthday: 0 }],
  [
    "with passphrase and birthday",
    JSON.stringify({ mnemonic, passphrase: " x ", birthday: 1_700_000_000 }),
    { mnemonic, passphrase: " x ", birthday: 1_700_000_000 },
  ],
  [
    "with a date",
    JSON.stringify({ mnemonic, birthday: "2026-01-01" }),
    { mnemonic, passphrase: "", birthday: 1_767_225_600 },
  ],
  [
    "next to other keys of the node",
    JSON.stringify({ nodeSeed: "x", channelSeed: "y", mnemonic }),
    { mnemonic, passphrase: "", birthday: 0 },
  ],
])("parses an on-chain secret %s", (_title, text, secret) => {
  expect(parse(text)).toEqual(secret);
});

test.each([
  ["nothing", "", /a BIP39 mnemonic/],
  ["a wrong checksum", mnemonic.replace("about", "abandon"), /a BIP39 mnemonic .* valid checksum/],
  ["upper case", mnemonic.toUpperCase(), /in lower-case letters/],
  ["broken JSON", '{"mnemonic', /valid JSON/],
  ["a wrong birthday", JSON.stringify({ mnemonic, birthday: "soon" }), /seconds since 1970/],
  ["a fraction of a second", JSON.stringify({ mnemonic, birthday: 1.5 }), /seconds since 1970/],
  [
    "a birthday in milliseconds",
    JSON.stringify({ mnemonic, birthday: 1_700_000_000_000 }),
    /in the future: the unit is seconds, not milliseconds/,
  ],
  [
    "a birthday in the future",
    JSON.stringify({ mnemonic, birthday: "2026-06-04" }),
    /a birthday in the future$/,
  ],
  [
    "a misspelt key",
    JSON.stringify({ mnemonic, Passphrase: "x" }),
    /contains the key `Passphrase`, which is not a known key \(did you mean `passphrase`\?\)/,
  ],
  [
    "half of a surrogate pair",
    `{"mnemonic":"${mnemonic}","passphrase":"\\ud800"}`,
    /half of a surrogate pair/,
  ],
  [
    "a passphrase that is a number",
    JSON.stringify({ mnemonic, passphrase: 1 }),
    /a text for the key `passphrase`/,
  ],
  ["a line break between words", mnemonic.replace(" ", "\n"), /single spaces: a line break follows word 1$/],
  ["two spaces", mnemonic.replace("n a", "n  a"), /more than one space follows word 1$/],
  ["a tab", mnemonic.replace(" about", "\tabout"), /a tab follows word 11$/],
  ["an ideographic space", mnemonic.replace(" about", "\u3000about"), /the space U\+3000 follows word 11$/],
  ["a no-break space", mnemonic.replace(" about", "\u00a0about"), /the space U\+00A0 follows word 11$/],
])("refuses an on-chain secret with %s, and does not show it", (_title, text, message) => {
  expect(() => parse(text)).toThrow(message);
  expect(() => parse(text)).toThrow(/^secret my\/secret /);
  expect(() => parse(text)).not.toThrow(/abandon/);
});

describe("a passphrase beyond ASCII", () => {
  test.each([
    ["NFC", "caf\u00e9", { character: "“é” (U+00E9)", stored: "e\\u0301" }],
    ["a ligature", "\ufb01x", { character: "“ﬁ” (U+FB01)", stored: "fi" }],
    [
      "marks in another order",
      "a\u0301\u0323",
      { character: "the order of the combining marks", stored: "the marks in the canonical order" },
    ],
  ])("is not normalised: %s", (_, passphrase, found) => {
    expect(notNormalised(passphrase)).toEqual(found);
  });

  test.each(["", "cafe", "cafe\u0301", "n\u0303andu\u0301", "日本"])("is normalised: %j", (passphrase) => {
    expect(notNormalised(passphrase)).toBeUndefined();
  });
});
