import { expect, test } from "vitest";
import { createPin } from "../../../../scripts/image/artifacts/create-pin.ts";
import { createSigner, signClear, signDetached, today, type Signer } from "../../../support/pgp.ts";

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
    get: async (url: string) => served[url] ?? Promise.reject(new Error(`unexpected request: ${url}`)),
  };
}

test.each(["clear", "detached"] as const)("creates a pin from %s-signed sums", async (signed) => {
  const created = await createPin(await request(await createSigner("alice"), signed));
  expect(created.pin.files.any).toEqual({ url: "https://r.invalid/eclair.zip", sha256: "a".repeat(64) });
  expect(created.warning).toBeUndefined();
});

test("warns when the key of a required signer expires within 60 days, with the date", async () => {
  const created = await createPin(await request(await createSigner("alice", 30), "detached"));
  expect(created.warning).toMatch(
    /on 2026-07-31, only 0 of the 1 required signers will be valid: .* expires on 2026-07-01/,
  );
});

test("refuses to pin a release that the signer did not sign", async () => {
  const [alice, bob] = [await createSigner("alice"), await createSigner("bob")];
  const valid = await request(alice, "detached");
  const signers = { bob: { fingerprint: bob.fingerprint, key: "https://r.invalid/alice" } };
  await expect(createPin({ ...valid, signers })).rejects.toThrow(/0 of the named signers/);
});
