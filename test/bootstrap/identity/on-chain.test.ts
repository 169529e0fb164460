import { expect, test } from "vitest";
import { accountDescriptors } from "../../../bootstrap/identity/on-chain.ts";

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
