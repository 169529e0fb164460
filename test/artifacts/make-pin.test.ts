import { expect, test } from "vitest";
import { makePin } from "../../scripts/artifacts/make-pin.ts";
import { makeSigner, signClear, signDetached, today, type Signer } from "../support/pgp.ts";

const sums = `${"a".repeat(64)}  eclair.zip\n`;

async function request(alice: Signer, signed: "clear" | "detached") {
  const detached = await signDetached(sums, alice);
  const clear = await signClear(sums.trimEnd(), alice);
  const served: Record<string, Uint8Array> = {
    "https://r.invalid/SUMS": Buffer.from(signed === "clear" ? clear : sums),
    "https://r.invalid/SUMS.asc": detached,
    "https://r.invalid/alice": alice.key,
  };
  return {
    name: "eclair" as const,
    version: "0.14.1",
    sumsUrl: "https://r.invalid/SUMS",
    signatureUrls: signed === "clear" ? [] : ["https://r.invalid/SUMS.asc"],
    files: { any: "https://r.invalid/eclair.zip" },
    signers: { alice: { fingerprint: alice.fingerprint, key: "https://r.invalid/alice" } },
    threshold: 1,
    now: today,
    get: async (url: string) => served[url] ?? Promise.reject(new Error(`nobody expected ${url}`)),
  };
}

test.each(["clear", "detached"] as const)("a pin is made from %s-signed sums", async (signed) => {
  const made = await makePin(await request(await makeSigner("alice"), signed));
  expect(made.pin.files.any).toEqual({ url: "https://r.invalid/eclair.zip", sha256: "a".repeat(64) });
  expect(made.warning).toBeUndefined();
});

test("a pin whose signer expires within 60 days comes with a warning that says when", async () => {
  const made = await makePin(await request(await makeSigner("alice", 30), "detached"));
  expect(made.warning).toMatch(/2026-07-31 only 0 of 1 signers will count: .* expires on 2026-07-01/);
});

test("a release that the signer did not sign is not pinned", async () => {
  const [alice, bob] = [await makeSigner("alice"), await makeSigner("bob")];
  const asked = await request(alice, "detached");
  const signers = { bob: { fingerprint: bob.fingerprint, key: "https://r.invalid/alice" } };
  await expect(makePin({ ...asked, signers })).rejects.toThrow(/0 of the named signers/);
});
