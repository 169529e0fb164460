import { expect, test } from "vitest";
import { digestIn, verifySums } from "../../../../scripts/image/artifacts/signatures.ts";
import { inDays, createSigner, signClear, signDetached, today } from "../../../support/pgp.ts";

const sums = `${"a".repeat(64)}  bitcoin.tar.gz\n${"b".repeat(64)} *eclair.zip\n`;

test("accepts a detached signature of a named signer", async () => {
  const [alice, bob] = [await createSigner("alice"), await createSigner("bob")];
  const signatures = [await signDetached(sums, alice), await signDetached(sums, bob)];
  const verdict = await verifySums(
    { sums, signatures, keys: [alice.key, bob.key] },
    [alice.fingerprint],
    today,
  );
  expect(verdict.validSigners).toEqual([alice.fingerprint]);
});

test("reads the signed text of a clear-signed file", async () => {
  const alice = await createSigner("alice");
  const signed = { sums: await signClear(sums.trimEnd(), alice), signatures: [], keys: [alice.key] };
  const verdict = await verifySums(signed, [alice.fingerprint], today);
  expect(verdict.validSigners).toEqual([alice.fingerprint]);
  expect(digestIn(verdict.sums, "eclair.zip")).toBe("b".repeat(64));
});

test("rejects a signature of other sums", async () => {
  const alice = await createSigner("alice");
  const signatures = [await signDetached(sums.replace("a", "c"), alice)];
  const verdict = await verifySums({ sums, signatures, keys: [alice.key] }, [alice.fingerprint], today);
  expect(verdict.validSigners).toEqual([]);
  expect(verdict.rejected[alice.fingerprint]).toMatch(/signature is invalid/);
});

test("counts two signatures of one signer once", async () => {
  const alice = await createSigner("alice");
  const signatures = [await signDetached(sums, alice), await signDetached(sums, alice)];
  const verdict = await verifySums({ sums, signatures, keys: [alice.key] }, [alice.fingerprint], today);
  expect(verdict.validSigners).toHaveLength(1);
});

test("rejects a key that expired after the signature", async () => {
  const alice = await createSigner("alice", 10);
  const signed = { sums, signatures: [await signDetached(sums, alice)], keys: [alice.key] };
  expect((await verifySums(signed, [alice.fingerprint], today)).validSigners).toHaveLength(1);
  const later = await verifySums(signed, [alice.fingerprint], inDays(20));
  expect(later.validSigners).toEqual([]);
  expect(later.rejected[alice.fingerprint]).toMatch(/not valid now/);
});

test("names each signer that is not valid, with the reason", async () => {
  const [alice, bob] = [await createSigner("alice"), await createSigner("bob")];
  const signed = { sums, signatures: [await signDetached(sums, bob)], keys: [alice.key] };
  const verdict = await verifySums(signed, [alice.fingerprint, bob.fingerprint], today);
  expect(verdict.rejected).toEqual({
    [alice.fingerprint]: "it did not sign",
    [bob.fingerprint]: "its public key is missing",
  });
});

test("finds a digest by the complete file name only", () => {
  expect(digestIn(sums, "bitcoin.tar.gz")).toBe("a".repeat(64));
  expect(digestIn(sums, "coin.tar.gz")).toBeUndefined();
});
