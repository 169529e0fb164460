import { expect, test } from "vitest";
import { planPruning } from "../../../../scripts/cluster/chain/prune.ts";
import type { ChainSnapshot } from "../../../../scripts/cluster/chain/snapshots.ts";
import { chainFacts } from "../../../support/chain-facts.ts";

const snapshot = (snapshotId: string, changes: Partial<ChainSnapshot> = {}): ChainSnapshot => ({
  ...{ snapshotId, cluster: "demo", facts: chainFacts, createdAt: new Date(0) },
  ...{ state: "completed", gibibytes: 1, verifiedAt: undefined, ...changes },
});

test("the newest, the newest verified and the named snapshots stay", () => {
  const snapshots = [
    snapshot("snap-copying", { state: "pending" }),
    snapshot("snap-newest"),
    snapshot("snap-second"),
    snapshot("snap-verified", { verifiedAt: "2026-01-01T00:00:00Z" }),
    snapshot("snap-old-verified", { verifiedAt: "2025-01-01T00:00:00Z" }),
    snapshot("snap-named"),
    snapshot("snap-failed", { state: "error" }),
  ];
  const plan = planPruning(snapshots, 1, new Set(["snap-named"]));
  expect(plan.map(({ snapshot: { snapshotId }, keptBecause }) => [snapshotId, keptBecause])).toEqual([
    ["snap-copying", "EBS still copies it"],
    ["snap-newest", "it is one of the newest 1"],
    ["snap-second", undefined],
    ["snap-verified", "it is the newest verified one"],
    ["snap-old-verified", undefined],
    ["snap-named", "a configuration in use names it"],
    ["snap-failed", undefined],
  ]);
});
