import { generateKeyPairSync } from "node:crypto";
import { entropyToMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { expect, test } from "vitest";
import { secretIn } from "../../../bootstrap/validate/secrets.ts";

const mnemonic = (bytes: number) =>
  entropyToMnemonic(
    new Uint8Array(bytes).fill(7).map((b, i) => b * i),
    wordlist,
  );

test.each([16, 20, 24, 28, 32])("finds a mnemonic of %i bytes between other words", (bytes) => {
  expect(secretIn(`words in front of ${mnemonic(bytes)} and words behind`)).toBe("a BIP39 mnemonic");
});

test("ignores words of the BIP39 list with an invalid checksum", () => {
  const words = mnemonic(16).split(" ");
  expect(secretIn([...words.slice(1), words[0]].join(" "))).toBeUndefined();
});

test("finds a private key in PEM, and ignores a public key", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  expect(secretIn(privateKey.export({ type: "pkcs8", format: "pem" }).toString())).toBe(
    "a private key in PEM",
  );
  expect(secretIn(publicKey.export({ type: "spki", format: "pem" }).toString())).toBeUndefined();
});

test("finds a private key in PEM in JSON", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  expect(secretIn(JSON.stringify({ key: pem }))).toBe("a private key in PEM");
});

test("finds the seeds of a node, and ignores the names of their secrets", () => {
  for (const encoding of ["hex", "base64"] as const) {
    const secret = { channelSeed: Buffer.alloc(32, 7).toString(encoding) };
    expect(secretIn(JSON.stringify(secret))).toBe("a seed of a node");
    expect(secretIn(JSON.stringify({ text: JSON.stringify(secret) }))).toBe("a seed of a node");
  }
  const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:node/seeds-a1b2c3";
  expect(secretIn(JSON.stringify({ nodeSeed: arn }))).toBeUndefined();
});

test("finds AWS credentials by the form of the id or by the name of the setting", () => {
  expect(secretIn(["key AKIA", "ABCDEFGHIJKLMNOP"].join(""))).toBe("an AWS access key id");
  for (const length of [20, 40])
    expect(secretIn(`aws_secret_access_key = ${"x".repeat(length)}`)).toBe("an AWS secret access key");
  for (const name of ["aws_secret_access_key", "SecretAccessKey", "awsSecretAccessKey"])
    expect(secretIn(JSON.stringify({ [name]: "x".repeat(40) })), name).toBe("an AWS secret access key");
});

test("finds an extended private key", () => {
  expect(secretIn(`xprv${"9".repeat(107)}`)).toBe("an extended private key");
});
