import { expect, test } from "vitest";
import type { InstanceReport } from "../../../../bootstrap/contract/reports/instance.ts";
import { metricsText } from "../../../../bootstrap/supervisor/health/metrics.ts";

const report = {
  cluster: "demo",
  identity: { instanceId: "i-1" },
  role: "standby",
  lease: { known: false, reason: "no answer" },
  eclair: { armed: "yes" },
  record: { known: false, reason: "not mirrored" },
  boot: { phases: [] },
  bitcoind: { known: true, blocks: 98, headers: 100, peers: 3 },
  chainTip: { ageSeconds: 4_000, behindBlocks: 7 },
  chainDisk: { freeBytes: 5_000, totalBytes: 90_000 },
} as unknown as InstanceReport;

const valuesOf = async (changes: object = {}) =>
  new Map(
    (await metricsText({ ...report, ...changes }))
      .split("\n")
      .filter((line) => line.startsWith("eclair_ami_") && !line.startsWith("eclair_ami_role"))
      .map((line) => [line.slice(0, line.indexOf("{")), Number(line.slice(line.lastIndexOf(" ")))]),
  );

test("an alert can see the chain of bitcoind and its disk", async () => {
  const values = await valuesOf();
  expect(Object.fromEntries(values)).toMatchObject({
    eclair_ami_bitcoind_answers: 1,
    eclair_ami_bitcoind_blocks: 98,
    eclair_ami_bitcoind_lag_blocks: 2,
    eclair_ami_bitcoind_peers: 3,
    eclair_ami_bitcoind_tip_age_seconds: 4_000,
    eclair_ami_bitcoind_behind_blocks: 7,
    eclair_ami_chain_disk_free_bytes: 5_000,
    eclair_ami_chain_disk_size_bytes: 90_000,
  });
});

test("what is not known has no value, instead of a value that looks healthy", async () => {
  const values = await valuesOf({
    bitcoind: { known: false, reason: "bitcoind does not answer" },
    chainTip: undefined,
    chainDisk: undefined,
  });
  expect(values.get("eclair_ami_bitcoind_answers")).toBe(0);
  expect([...values.keys()].filter((name) => /_bitcoind_(?!answers)|_chain_/.test(name))).toEqual([]);
});
