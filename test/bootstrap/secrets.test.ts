import { generateKeyPairSync } from "node:crypto";
import { entropyToMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { expect, test } from "vitest";
import { secretIn } from "../../bootstrap/validate/secrets.ts";

const mnemonic = (bytes: number) =>
  entropyToMnemonic(
    new Uint8Array(bytes).fill(7).map((b, i) => b * i),
    wordlist,
  );

test.each([16, 20, 24, 28, 32])("a mnemonic of %i bytes is found in the midst of prose", (bytes) => {
  expect(secretIn(`some words before it ${mnemonic(bytes)} and after it`)).toBe("a BIP39 mnemonic");
});

test("words of the list with a wrong checksum are prose", () => {
  const words = mnemonic(16).split(" ");
  expect(secretIn([...words.slice(1), words[0]].join(" "))).toBeUndefined();
});

test("a private key in PEM is found, a public one is not", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  expect(secretIn(privateKey.export({ type: "pkcs8", format: "pem" }).toString())).toBe(
    "a private key in PEM",
  );
  expect(secretIn(publicKey.export({ type: "spki", format: "pem" }).toString())).toBeUndefined();
});

test("AWS credentials are found by id or by name", () => {
  expect(secretIn(["key AKIA", "ABCDEFGHIJKLMNOP"].join(""))).toBe("an AWS access key id");
  expect(secretIn(`aws_secret_access_key = ${"x".repeat(40)}`)).toBe("an AWS secret access key");
});

test("an extended private key is found", () => {
  expect(secretIn(`xprv${"9".repeat(107)}`)).toBe("an extended private key");
});
