import { expect, test } from "vitest";
import { latestSnapshot } from "../../../../bootstrap/contract/chain/latest.ts";
import type { Chain } from "../../../../bootstrap/contract/configuration/node.ts";
import { factsOf, tagsOf } from "../../../../bootstrap/contract/chain/snapshot-tags.ts";
import { tags } from "../../../../bootstrap/contract/tags.ts";
import { chainFacts } from "../../../support/chain-facts.ts";

const verified = { Key: tags.verified, Value: "2026-01-01T00:00:00Z" };
const snapshot = (
  SnapshotId: string,
  changes: object = {},
  more: object[] = [verified],
  State = "completed",
) => ({
  SnapshotId,
  State,
  Tags: [...tagsOf("demo", { ...chainFacts, ...changes }), ...more],
});

test("the tags of a snapshot describe its chain", () => {
  expect(factsOf(tagsOf("demo", chainFacts))).toEqual(chainFacts);
  expect(factsOf([{ Key: "Name", Value: "other" }])).toBeUndefined();
  expect(factsOf(tagsOf("demo", { ...chainFacts, muhash: "x" }))).toBeUndefined();
});

const latest = (
  found: readonly object[],
  chain: Chain,
  bitcoindVersion: string,
  cluster = "demo",
): string | undefined => latestSnapshot(found, { cluster, chain, bitcoindVersion })?.snapshotId;

test("the latest snapshot has the longest chain of those that can be used", () => {
  const found = [
    snapshot("snap-low"),
    snapshot("snap-best", { height: 200 }),
    snapshot("snap-unverified", { height: 300 }, []),
    snapshot("snap-pending", { height: 300 }, [verified], "pending"),
    snapshot("snap-other-chain", { height: 300, chain: "signet" }),
    snapshot("snap-newer-bitcoind", { height: 300, bitcoindVersion: 320_000 }),
    snapshot("snap-refused", { height: 300 }, [{ Key: tags.verified, Value: "" }]),
  ];
  expect(latest(found, "regtest", "31.1")).toBe("snap-best");
  expect(latest(found, "regtest", "32.0")).toBe("snap-newer-bitcoind");
  expect(latest(found, "signet", "31.1")).toBe("snap-other-chain");
  expect(latest(found, "mainnet", "31.1")).toBeUndefined();
});

test("a snapshot of the own cluster comes before a longer chain of another cluster", () => {
  const other = {
    ...snapshot("snap-other", { height: 300 }),
    Tags: [...tagsOf("other", { ...chainFacts, height: 300 }), verified],
  };
  expect(latest([snapshot("snap-own"), other], "regtest", "31.1")).toBe("snap-own");
  expect(latest([other], "regtest", "31.1")).toBe("snap-other");
});

test("Eclair's mainnet is bitcoind's main", () => {
  expect(latest([snapshot("snap-main", { chain: "main" })], "mainnet", "31.1")).toBe("snap-main");
});
