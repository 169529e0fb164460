import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { cachedFile, fetchPinned } from "../../../../scripts/image/artifacts/fetch.ts";
import type { Pin } from "../../../../scripts/image/artifacts/pins.ts";
import { inDays, createSigner, signDetached, today, type Signer } from "../../../support/pgp.ts";

const content = Buffer.from("a release ".repeat(1000));
const sha256 = createHash("sha256").update(content).digest("hex");
const sums = `${sha256}  release.tar.gz\n`;

let cache: string;
let server: Server;
let mirror: string;
let ranges: string[];
let served: Record<string, Uint8Array>;
let alice: Signer;

beforeEach(async () => {
  cache = mkdtempSync(join(tmpdir(), "eclair-ami-cache-"));
  vi.stubEnv("ECLAIR_AMI_CACHE", cache);
  alice = await createSigner("alice");
  ranges = [];
  served = {
    "/SHA256SUMS": Buffer.from(sums),
    "/SHA256SUMS.asc": await signDetached(sums, alice),
    "/alice.gpg": alice.key,
    "/release.tar.gz": content,
  };
  server = createServer((request, response) => {
    const body = served[request.url ?? ""];
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (request.headers.range !== undefined) ranges.push(request.headers.range);
    response.writeHead(from > 0 ? 206 : 200).end(body.subarray(from));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.close();
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

const pin = (change: Partial<Pin> = {}): Pin => ({
  version: "31.1",
  sums: "https://release.invalid/SHA256SUMS",
  signatures: ["https://release.invalid/SHA256SUMS.asc"],
  files: { any: { url: "https://release.invalid/release.tar.gz", sha256 } },
  threshold: 1,
  signers: { alice: { fingerprint: alice.fingerprint, key: "https://release.invalid/alice.gpg" } },
  ...change,
});

const options = () => ({ mirror, architecture: "x86_64" as const, now: () => today });

test("fetches and verifies a pinned file, and caches it under its sha256", async () => {
  const fetched = await fetchPinned("bitcoin", pin(), options());
  expect(fetched).toMatchObject({ file: cachedFile(sha256, "release.tar.gz"), sha256 });
  expect(readFileSync(cachedFile(sha256, "release.tar.gz"))).toEqual(content);
});

test("refuses and removes a file with one wrong byte", async () => {
  const flipped = Buffer.from(content);
  flipped[100] = (flipped[100] ?? 0) ^ 1;
  served["/release.tar.gz"] = flipped;
  await expect(fetchPinned("bitcoin", pin(), options())).rejects.toThrow(
    new RegExp(`the pinned sha256 is ${sha256}`),
  );
  expect(existsSync(`${cachedFile(sha256, "release.tar.gz")}.part`)).toBe(false);
  expect(existsSync(cachedFile(sha256, "release.tar.gz"))).toBe(false);
});

test("fetches a file again that changed in the cache", async () => {
  await fetchPinned("bitcoin", pin(), options());
  writeFileSync(cachedFile(sha256, "release.tar.gz"), "tampered");
  await fetchPinned("bitcoin", pin(), options());
  expect(readFileSync(cachedFile(sha256, "release.tar.gz"))).toEqual(content);
});

test("refuses an invalid signature before the download of the file", async () => {
  served["/SHA256SUMS.asc"] = await signDetached("other sums", alice);
  await expect(fetchPinned("bitcoin", pin(), options())).rejects.toThrow(/signature is invalid/);
  expect(existsSync(cachedFile(sha256, "release.tar.gz"))).toBe(false);
});

test("refuses fewer valid signers than the threshold, with the reason for each signer", async () => {
  const bob = await createSigner("bob");
  served["/bob.gpg"] = bob.key;
  const signers = {
    ...pin().signers,
    bob: { fingerprint: bob.fingerprint, key: "https://release.invalid/bob.gpg" },
  };
  await expect(fetchPinned("bitcoin", pin({ signers, threshold: 2 }), options())).rejects.toThrow(
    new RegExp(
      `1 of the named signers have a valid signature, and 2 are required\\n {2}${bob.fingerprint}: it did not sign`,
    ),
  );
});

test("applies a higher threshold to a file that is already in the cache", async () => {
  await fetchPinned("bitcoin", pin(), options());
  const bob = await createSigner("bob");
  served["/bob.gpg"] = bob.key;
  const signers = {
    ...pin().signers,
    bob: { fingerprint: bob.fingerprint, key: "https://release.invalid/bob.gpg" },
  };
  await expect(fetchPinned("bitcoin", pin({ signers, threshold: 2 }), options())).rejects.toThrow(
    /2 are required/,
  );
});

test("continues an interrupted download", async () => {
  const part = `${cachedFile(sha256, "release.tar.gz")}.part`;
  served["/release.tar.gz"] = content;
  await fetchPinned("bitcoin", pin(), options());
  rmSync(cachedFile(sha256, "release.tar.gz"));
  writeFileSync(part, content.subarray(0, 4000));
  await fetchPinned("bitcoin", pin(), options());
  expect(ranges).toEqual(["bytes=4000-"]);
  expect(readFileSync(cachedFile(sha256, "release.tar.gz"))).toEqual(content);
});

test("reports an unreachable server as unavailable, and an answer 404 as an error", async () => {
  const unreachable = { ...options(), mirror: "http://127.0.0.1:9" };
  await expect(fetchPinned("bitcoin", pin(), unreachable)).resolves.toEqual({
    unavailable: "its release cannot be reached (ECONNREFUSED)",
  });
  delete served["/SHA256SUMS"];
  await expect(fetchPinned("bitcoin", pin(), options())).rejects.toThrow(/404/);
});

test("verifies signatures at each use: a key that expired in the meantime is rejected", async () => {
  const carol = await createSigner("carol", 10);
  served["/SHA256SUMS.asc"] = await signDetached(sums, carol);
  served["/carol.gpg"] = carol.key;
  const signers = { carol: { fingerprint: carol.fingerprint, key: "https://release.invalid/carol.gpg" } };
  await fetchPinned("bitcoin", pin({ signers }), options());
  const later = { ...options(), now: () => inDays(20) };
  await expect(fetchPinned("bitcoin", pin({ signers }), later)).rejects.toThrow(/not valid now/);
});

test("accepts a pin when a key is missing and enough other signers are valid", async () => {
  const bob = { fingerprint: "0".repeat(40), key: "https://release.invalid/bob.gpg" };
  const fetched = await fetchPinned("bitcoin", pin({ signers: { ...pin().signers, bob } }), options());
  expect(fetched).toMatchObject({ sha256 });
});

test("uses a complete download that was not renamed", async () => {
  await fetchPinned("bitcoin", pin(), options());
  renameSync(cachedFile(sha256, "release.tar.gz"), `${cachedFile(sha256, "release.tar.gz")}.part`);
  delete served["/release.tar.gz"];
  expect(await fetchPinned("bitcoin", pin(), options())).toMatchObject({ sha256 });
});
