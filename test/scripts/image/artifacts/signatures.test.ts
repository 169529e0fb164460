import { generateKey, PacketList, unarmor, UserIDPacket } from "openpgp";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parsePins, pinsFile } from "../../../../scripts/image/artifacts/pins.ts";
import { root } from "../../../../scripts/machine/paths.mjs";
import { digestIn, verifySums } from "../../../../scripts/image/artifacts/signatures.ts";
import { inDays, createSigner, openPgpFile, signClear, signDetached, today } from "../../../support/pgp.ts";

const files = (...contents: Uint8Array[]) => contents.map((bytes) => openPgpFile(bytes));
const sums = `${"a".repeat(64)}  bitcoin.tar.gz\n${"b".repeat(64)} *eclair.zip\n`;

test("accepts a detached signature of a named signer", async () => {
  const [alice, bob] = [await createSigner("alice"), await createSigner("bob")];
  const signatures = files(await signDetached(sums, alice), await signDetached(sums, bob));
  const verdict = await verifySums(
    { sums, signatures, keys: files(alice.key, bob.key) },
    [alice.fingerprint],
    today,
  );
  expect(verdict.validSigners).toEqual([alice.fingerprint]);
});

test("reads the signed text of a clear-signed file", async () => {
  const alice = await createSigner("alice");
  const signed = { sums: await signClear(sums.trimEnd(), alice), signatures: [], keys: files(alice.key) };
  const verdict = await verifySums(signed, [alice.fingerprint], today);
  expect(verdict.validSigners).toEqual([alice.fingerprint]);
  expect(digestIn(verdict.sums, "eclair.zip")).toBe("b".repeat(64));
});

test("rejects a signature of other sums", async () => {
  const alice = await createSigner("alice");
  const signatures = files(await signDetached(sums.replace("a", "c"), alice));
  const verdict = await verifySums({ sums, signatures, keys: files(alice.key) }, [alice.fingerprint], today);
  expect(verdict.validSigners).toEqual([]);
  expect(verdict.rejected[alice.fingerprint]).toMatch(/signature is invalid/);
});

test("counts two signatures of one signer once", async () => {
  const alice = await createSigner("alice");
  const signatures = files(await signDetached(sums, alice), await signDetached(sums, alice));
  const verdict = await verifySums({ sums, signatures, keys: files(alice.key) }, [alice.fingerprint], today);
  expect(verdict.validSigners).toHaveLength(1);
});

test("rejects a key that expired after the signature", async () => {
  const alice = await createSigner("alice", 10);
  const signed = { sums, signatures: files(await signDetached(sums, alice)), keys: files(alice.key) };
  expect((await verifySums(signed, [alice.fingerprint], today)).validSigners).toHaveLength(1);
  const later = await verifySums(signed, [alice.fingerprint], inDays(20));
  expect(later.validSigners).toEqual([]);
  expect(later.rejected[alice.fingerprint]).toMatch(/not valid now/);
});

test("names each signer that is not valid, with the reason", async () => {
  const [alice, bob] = [await createSigner("alice"), await createSigner("bob")];
  const signed = { sums, signatures: files(await signDetached(sums, bob)), keys: files(alice.key) };
  const verdict = await verifySums(signed, [alice.fingerprint, bob.fingerprint], today);
  expect(verdict.rejected).toEqual({
    [alice.fingerprint]: "it did not sign",
    [bob.fingerprint]: "no file contains a usable public key of this signer",
  });
});

test("finds a digest by the complete file name only", () => {
  expect(digestIn(sums, "bitcoin.tar.gz")).toBe("a".repeat(64));
  expect(digestIn(sums, "coin.tar.gz")).toBeUndefined();
});

describe("files with several keys or signatures", () => {
  const binary = async (text: string) => Buffer.from((await unarmor(text)).data as Uint8Array);

  test("armored blocks one after another, with text between them", async () => {
    const [alice, bob] = [await createSigner("alice"), await createSigner("bob")];
    const withNotes = (...parts: Uint8Array[]) =>
      Buffer.concat(parts.flatMap((part) => [part, Buffer.from("\nA note: ünlesbar\n")]));
    const verdict = await verifySums(
      {
        sums,
        signatures: files(withNotes(await signDetached(sums, alice), await signDetached(sums, bob))),
        keys: files(withNotes(alice.key, bob.key)),
      },
      [alice.fingerprint, bob.fingerprint],
      today,
    );
    expect(verdict).toMatchObject({
      validSigners: [alice.fingerprint, bob.fingerprint],
      rejected: {},
      problems: [],
    });
  });

  test("binary keys and signatures one after another", async () => {
    const [alice, bob] = [await createSigner("alice"), await createSigner("bob")];
    const all = async (...parts: Uint8Array[]) =>
      Buffer.concat(await Promise.all(parts.map((part) => binary(Buffer.from(part).toString()))));
    const verdict = await verifySums(
      {
        sums,
        signatures: files(await all(await signDetached(sums, alice), await signDetached(sums, bob))),
        keys: files(await all(alice.key, bob.key)),
      },
      [alice.fingerprint, bob.fingerprint],
      today,
    );
    expect(verdict.validSigners).toEqual([alice.fingerprint, bob.fingerprint]);
  });

  test("a clear-signed text with text around it", async () => {
    const alice = await createSigner("alice");
    const text = `A note.\n\n${await signClear(sums.trimEnd(), alice)}\nThe end.\n`;
    const verdict = await verifySums(
      { sums: text, signatures: [], keys: files(alice.key) },
      [alice.fingerprint],
      today,
    );
    expect(verdict.validSigners).toEqual([alice.fingerprint]);
    expect(verdict.sums).not.toMatch(/note|end/);
  });

  test.each<[string, Uint8Array, RegExp]>([
    [
      "a web page",
      Buffer.from("<!DOCTYPE html><title>404</title>"),
      /contains a web page and no OpenPGP key/,
    ],
    ["nothing", Buffer.from(""), /contains nothing and no OpenPGP key/],
    [
      "an incomplete block",
      Buffer.from("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDM"),
      /an incomplete armored block/,
    ],
    [
      "damaged armor",
      Buffer.from("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxxxx\n-----END PGP PUBLIC KEY BLOCK-----\n"),
      /no usable OpenPGP key/,
    ],
    ["a random binary file", Buffer.from([0xff, 0xfe, 1, 2, 3]), /no usable OpenPGP key/],
    [
      "a signature",
      Buffer.from("-----BEGIN PGP SIGNATURE-----\n\nxxxx\n-----END PGP SIGNATURE-----\n"),
      /is a PGP SIGNATURE, and an OpenPGP key is expected/,
    ],
  ])("%s in place of a key is one line, and does not hide a good key next to it", async (_, bytes, line) => {
    const alice = await createSigner("alice");
    const bad = openPgpFile(bytes, "keys/bob.gpg");
    const beside = openPgpFile(Buffer.concat([bytes, Buffer.from("\n"), alice.key]), "keys/both.gpg");
    const signatures = files(await signDetached(sums, alice));
    const verdict = await verifySums(
      { sums, signatures, keys: [bad, ...files(alice.key)] },
      [alice.fingerprint],
      today,
    );
    expect(verdict.validSigners).toEqual([alice.fingerprint]);
    expect(verdict.problems).toEqual([expect.stringMatching(line)]);
    expect(verdict.problems[0]).toMatch(/^keys\/bob\.gpg: [^\n]*$/);
    const mixed = await verifySums({ sums, signatures, keys: [beside] }, [alice.fingerprint], today);
    expect(mixed.validSigners).toEqual([alice.fingerprint]);
  });

  test.each<[string, Uint8Array, RegExp]>([
    [
      "a web page",
      Buffer.from("<!DOCTYPE html><title>404</title>"),
      /contains a web page and no OpenPGP signature/,
    ],
    [
      "damaged armor",
      Buffer.from("-----BEGIN PGP SIGNATURE-----\n\nxxxx\n-----END PGP SIGNATURE-----\n"),
      /no usable OpenPGP signature/,
    ],
    ["a random binary file", Buffer.from([0xff, 0xfe, 1, 2, 3]), /no usable OpenPGP signature/],
  ])("a good signature counts next to a file with %s, which is named", async (_, bad, problem) => {
    const alice = await createSigner("alice");
    const signatures = files(bad, await signDetached(sums, alice));
    const verdict = await verifySums(
      { sums, signatures, keys: files(alice.key) },
      [alice.fingerprint],
      today,
    );
    expect(verdict.validSigners).toEqual([alice.fingerprint]);
    expect(verdict.problems).toEqual([expect.stringMatching(problem)]);
  });

  test("a key without a user id and a key of an unsupported curve are explained, without a message of the library", async () => {
    const alice = await createSigner("alice");
    const withoutUser = new PacketList();
    withoutUser.push(
      ...alice.privateKey
        .toPublic()
        .toPacketList()
        .filter((packet) => !(packet instanceof UserIDPacket)),
    );
    const signatures = files(await signDetached(sums, alice));
    const keys = files(withoutUser.write());
    const verdict = await verifySums({ sums, signatures, keys }, [alice.fingerprint], today);
    expect(verdict.rejected[alice.fingerprint]).toMatch(/the key has no valid user id$/);

    const { publicKey } = await generateKey({
      userIDs: [{ name: "y" }],
      type: "ecc",
      curve: "nistP256",
      format: "object",
    });
    const unsupported = Buffer.from(publicKey.write());
    const curve = Buffer.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
    for (let at = unsupported.indexOf(curve); at !== -1; at = unsupported.indexOf(curve))
      unsupported[at + 7] = 0x22;
    const bytes = Buffer.concat([unsupported, await binary(Buffer.from(alice.key).toString())]);
    const both = await verifySums({ sums, signatures, keys: files(bytes) }, [alice.fingerprint], today);
    expect(both.validSigners).toEqual([alice.fingerprint]);
    const alone = await verifySums(
      { sums, signatures, keys: files(unsupported) },
      [alice.fingerprint],
      today,
    );
    expect(alone.problems).toEqual(["a file: the file contains no usable OpenPGP key"]);
  });
});

describe("the signatures of Bitcoin Core 31.1, as its project publishes them", () => {
  const folder = join(root, "test/support/bitcoin-core-31.1");
  const read = (name: string) => openPgpFile(readFileSync(join(folder, name)), name);
  const pinned = parsePins(readFileSync(pinsFile, "utf8")).bitcoin;
  const signers = Object.entries(pinned?.signers ?? {});
  const verify = async (now: string) =>
    await verifySums(
      {
        sums: readFileSync(join(folder, "SHA256SUMS"), "utf8"),
        signatures: [read("SHA256SUMS.asc")],
        keys: signers.map(([name]) => read(`${name}.gpg`)),
      },
      signers.map(([, { fingerprint }]) => fingerprint),
      new Date(now),
    );

  test("count for all eight pinned signers while their keys are valid", async () => {
    expect((await verify("2026-07-10")).validSigners).toHaveLength(8);
  });

  test("count for six of them after two signing subkeys have expired", async () => {
    const { validSigners, rejected, sums: text } = await verify("2026-11-22");
    expect(validSigners).toHaveLength(6);
    expect(Object.values(rejected)).toEqual([
      "its key was not valid now (2026-11-22): its signing subkey has expired",
      "its key was not valid now (2026-11-22): its signing subkey has expired",
    ]);
    for (const file of Object.values(pinned?.files ?? {}))
      expect(digestIn(text, basename(new URL(file?.url ?? "").pathname))).toBe(file?.sha256);
  });
});
