import { expect, test } from "vitest";
import type { Chain } from "../../../../bootstrap/contract/configuration/node.ts";
import { ChainTip } from "../../../../bootstrap/supervisor/health/chain-tip.ts";

const now = Date.parse("2026-06-01T12:00:00Z");
const hour = 3_600;
const bitcoind = (blocks: number, ageSeconds = 0) =>
  ({
    known: true,
    chain: "main",
    blocks,
    headers: blocks,
    tipTime: now / 1000 - ageSeconds,
    synced: true,
    wallet: { ready: true },
  }) as const;

function observed(
  chain: Chain,
  ...observations: [bitcoind: ReturnType<typeof bitcoind>, best: number | undefined, uptime: number][]
) {
  const tip = new ChainTip(chain);
  for (const [report, best, uptime] of observations) tip.observe(report, best, now, uptime);
  return tip;
}

test("reports the age of the tip and the blocks behind the best instance", () => {
  expect(observed("mainnet", [bitcoind(98, 700), 100, 0]).report).toEqual({
    ageSeconds: 700,
    behindBlocks: 2,
  });
  expect(observed("mainnet", [bitcoind(101, -60), 100, 0]).report).toEqual({
    ageSeconds: 0,
    behindBlocks: 0,
  });
  expect(observed("mainnet", [bitcoind(101), undefined, 0]).report).toEqual({ ageSeconds: 0 });
});

test("a bitcoind without peers is a problem when its last block is old", () => {
  expect(observed("mainnet", [bitcoind(100, 2.9 * hour), 100, 0]).problems).toEqual([]);
  expect(observed("mainnet", [bitcoind(100, 3.5 * hour), 100, 0]).problems).toEqual([
    "bitcoind's last block is 210 minutes old: bitcoind may have lost its peers",
  ]);
  expect(observed("regtest", [bitcoind(100, 1000 * hour), 100, 0]).problems).toEqual([]);
});

test("a bitcoind that stays behind another instance is a problem", () => {
  const behind = (uptime: number) =>
    [bitcoind(96), 100, uptime] as [ReturnType<typeof bitcoind>, number, number];
  expect(observed("regtest", behind(0)).problems).toEqual([]);
  expect(observed("regtest", behind(0), behind(59)).problems).toEqual([]);
  expect(observed("regtest", behind(0), behind(60)).problems).toEqual([
    "bitcoind is 4 blocks behind the best instance of the cluster",
  ]);
  expect(observed("regtest", behind(0), [bitcoind(99), 100, 30], behind(60)).problems).toEqual([]);
});

test("nothing is known about the tip of a bitcoind that does not answer", () => {
  const tip = observed("mainnet", [bitcoind(100, 5 * hour), 100, 0]);
  tip.observe({ known: false, reason: "no answer" }, 100, now, 1);
  expect(tip.report).toEqual({});
  expect(tip.problems).toEqual([]);
});
