import { beforeEach, expect, test, vi } from "vitest";
import type { InstanceReport } from "../../../../../bootstrap/contract/reports/instance.ts";
import { ActiveChain } from "../../../../../bootstrap/supervisor/chain/snapshot/active-chain.ts";

let now = 1_000;
vi.mock(import("../../../../../bootstrap/os/clock.ts"), () => ({ boottime: () => now }));

const works = { known: true, blocks: 100, peers: 8 };
const report = (bitcoind: object, active = true) => ({ active, bitcoind }) as unknown as InstanceReport;

let chain: ActiveChain;
beforeEach(() => {
  chain = new ActiveChain();
});
function isBroken(reports: readonly InstanceReport[]): boolean {
  chain.observe(reports);
  return chain.isBroken;
}

test.each<[string, object]>([
  ["does not answer", { known: false, reason: "bitcoind does not answer" }],
  ["cannot be used", { ...works, problem: "no bitcoind can be used" }],
  ["has no peers", { ...works, peers: 0 }],
])("a bitcoind of the active instance that %s for 15 s is broken", (_name, bitcoind) => {
  expect(isBroken([report(works)])).toBe(false);
  expect(isBroken([report(bitcoind)])).toBe(false);
  now += 14;
  expect(isBroken([report(bitcoind)])).toBe(false);
  now += 1;
  expect(isBroken([report(bitcoind)])).toBe(true);
  expect(isBroken([report(works)])).toBe(false);
});

test("neither the bitcoind of a standby nor a missing report says anything about the active instance", () => {
  const broken = report({ known: false, reason: "bitcoind does not answer" }, false);
  for (const reports of [[broken], []]) {
    expect(isBroken(reports)).toBe(false);
    now += 60;
    expect(isBroken(reports)).toBe(false);
  }
});
