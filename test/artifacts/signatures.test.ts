import { expect, test } from "vitest";
import { digestIn, whoSigned } from "../../scripts/artifacts/signatures.ts";
import { inDays, makeSigner, signClear, signDetached, today } from "../support/pgp.ts";

const sums = `${"a".repeat(64)}  bitcoin.tar.gz\n${"b".repeat(64)} *eclair.zip\n`;

test("a detached signature of a named signer counts", async () => {
  const [alice, bob] = [await makeSigner("alice"), await makeSigner("bob")];
  const signatures = [await signDetached(sums, alice), await signDetached(sums, bob)];
  const verdict = await whoSigned(
    { sums, signatures, keys: [alice.key, bob.key] },
    [alice.fingerprint],
    today,
  );
  expect(verdict.counted).toEqual([alice.fingerprint]);
});

test("a clear-signed file's text is what was signed", async () => {
  const alice = await makeSigner("alice");
  const signed = { sums: await signClear(sums.trimEnd(), alice), signatures: [], keys: [alice.key] };
  const verdict = await whoSigned(signed, [alice.fingerprint], today);
  expect(verdict.counted).toEqual([alice.fingerprint]);
  expect(digestIn(verdict.sums, "eclair.zip")).toBe("b".repeat(64));
});

test("a signature over other sums does not count, though the digests are right", async () => {
  const alice = await makeSigner("alice");
  const signatures = [await signDetached(sums.replace("a", "c"), alice)];
  const verdict = await whoSigned({ sums, signatures, keys: [alice.key] }, [alice.fingerprint], today);
  expect(verdict.counted).toEqual([]);
  expect(verdict.refused[alice.fingerprint]).toMatch(/signature is bad/);
});

test("two signatures of one signer count once", async () => {
  const alice = await makeSigner("alice");
  const signatures = [await signDetached(sums, alice), await signDetached(sums, alice)];
  const verdict = await whoSigned({ sums, signatures, keys: [alice.key] }, [alice.fingerprint], today);
  expect(verdict.counted).toHaveLength(1);
});

test("a key that was valid when it signed and has expired since does not count", async () => {
  const alice = await makeSigner("alice", 10);
  const signed = { sums, signatures: [await signDetached(sums, alice)], keys: [alice.key] };
  expect((await whoSigned(signed, [alice.fingerprint], today)).counted).toHaveLength(1);
  const later = await whoSigned(signed, [alice.fingerprint], inDays(20));
  expect(later.counted).toEqual([]);
  expect(later.refused[alice.fingerprint]).toMatch(/not valid now/);
});

test("a signer whose key is missing is named with the reason", async () => {
  const [alice, bob] = [await makeSigner("alice"), await makeSigner("bob")];
  const signed = { sums, signatures: [await signDetached(sums, bob)], keys: [alice.key] };
  const verdict = await whoSigned(signed, [alice.fingerprint, bob.fingerprint], today);
  expect(verdict.refused).toEqual({
    [alice.fingerprint]: "it did not sign",
    [bob.fingerprint]: "its public key is not at hand",
  });
});

test("a digest is found by its whole file name only", () => {
  expect(digestIn(sums, "bitcoin.tar.gz")).toBe("a".repeat(64));
  expect(digestIn(sums, "coin.tar.gz")).toBeUndefined();
});
