import { expect, test } from "vitest";
import { accountDescriptors, masterSeed } from "../../../bootstrap/identity/on-chain.ts";

const mnemonic = `${"abandon ".repeat(11)}about`;
const secret = { mnemonic, passphrase: "", birthday: 0 };

// The account keys from the test vectors of BIP84 and BIP86, for this mnemonic on mainnet. BIP84 shows its key as a zpub,
// which is this xpub with other version bytes.
const bip84 =
  "xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V";
const bip86 =
  "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ";

test("derives the accounts of BIP84 and BIP86", () => {
  expect(accountDescriptors(secret, "mainnet")).toEqual([
    { text: `wpkh([73c5da0a/84h/0h/0h]${bip84}/0/*)`, internal: false },
    { text: `wpkh([73c5da0a/84h/0h/0h]${bip84}/1/*)`, internal: true },
    { text: `tr([73c5da0a/86h/0h/0h]${bip86}/0/*)`, internal: false },
    { text: `tr([73c5da0a/86h/0h/0h]${bip86}/1/*)`, internal: true },
  ]);
});

test("uses the coin type and the key prefix of test chains on every test chain", () => {
  for (const chain of ["regtest", "testnet", "testnet4", "signet"] as const)
    expect(accountDescriptors(secret, chain)[0]?.text).toMatch(/^wpkh\(\[73c5da0a\/84h\/1h\/0h\]tpub/);
});

test("derives another wallet with another passphrase", () => {
  const other = accountDescriptors({ ...secret, passphrase: "x" }, "mainnet");
  expect(other[0]?.text).not.toContain(bip84);
});

// From MnemonicCode.toSeed of bitcoin-kmp 0.25.0, which Eclair 0.13.0 contains.
test.each([
  ["", "5eb00bbddcf069084889a8ab91555681"],
  ["cafe", "3629f68e2564f8ef66d8ee3bd06e5e47"],
  ["caf\u00e9", "3f71749629d237c8505c83d334e9a05d"],
  ["cafe\u0301", "af8bbd2566df7b69d926f2b09dfdbd75"],
  ["\u00f1and\u00fa", "62137533990cedb0c6c48d9f0a2aa221"],
  ["n\u0303andu\u0301", "dcfd7e3472aee092e4434b35d9f8fc40"],
  ["\ufb01x", "bbce12afe1f4df34c83e4d13c89719e0"],
  ["\u65e5\u672c", "2c4415a92e496972406b75f185c124a1"],
  ["\ud83d\ude00", "9d909cad2ec6d35cada4a4c1575b6982"],
  [" x ", "6ac2df4b0d73d1a93b3a9e88e71d0fbe"],
])("derives the seed of Eclair from the passphrase %j", (passphrase, start) => {
  expect(
    Buffer.from(masterSeed({ ...secret, passphrase }))
      .toString("hex")
      .slice(0, 32),
  ).toBe(start);
});
