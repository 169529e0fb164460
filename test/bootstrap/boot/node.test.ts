import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startsBitcoind } from "../../../bootstrap/boot/node.ts";
import type { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";

const withBitcoind = (local: object | undefined) =>
  ({ bitcoind: { local } }) as Pick<NodeConfiguration, "bitcoind">;

let folder: string;
let marker: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-boot-"));
  marker = join(folder, "chain-snapshot");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("a boot starts a local bitcoind", () => {
  expect(startsBitcoind(withBitcoind({}), marker)).toBe(true);
  expect(startsBitcoind(withBitcoind(undefined), marker)).toBe(false);
});

test("a boot that runs again does not start a bitcoind that is stopped for a snapshot", () => {
  writeFileSync(marker, "");
  expect(startsBitcoind(withBitcoind({}), marker)).toBe(false);
});
