import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { planPruning, snapshotIdsIn } from "../../../../scripts/cluster/chain/prune.ts";
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
    snapshot("snap-older-bitcoind", {
      verifiedAt: "2025-01-01T00:00:00Z",
      facts: { ...chainFacts, bitcoindVersion: 300_200 },
    }),
    snapshot("snap-named"),
    snapshot("snap-failed", { state: "error" }),
  ];
  const plan = planPruning(snapshots, 1, new Set(["snap-named"]));
  expect(plan.map(({ snapshot: { snapshotId }, keptBecause }) => [snapshotId, keptBecause])).toEqual([
    ["snap-copying", "EBS still copies it"],
    ["snap-newest", "it is one of the newest 1"],
    ["snap-second", undefined],
    ["snap-verified", "it is the newest verified one of its version of bitcoind"],
    ["snap-old-verified", undefined],
    ["snap-older-bitcoind", "it is the newest verified one of its version of bitcoind"],
    ["snap-named", "a configuration in use names it"],
    ["snap-failed", undefined],
  ]);
});

test.each([
  [
    "a configuration of this version",
    "apiVersion: eclair-ami/v1\nchainVolume: { snapshotId: snap-0a1b2c3d4e5f67890 }\n",
  ],
  [
    "a configuration of another version",
    "apiVersion: eclair-ami/v9\nchain: { from: snap-0a1b2c3d4e5f67890 }\n",
  ],
  [
    "user-data that cannot be read",
    `Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: application/x-eclair-ami\n\nsnap-0a1b2c3d4e5f67890`,
  ],
])("the snapshot that %s names is found", async (_, text) => {
  for (const userData of [Buffer.from(text), gzipSync(text)])
    expect(await snapshotIdsIn(userData)).toEqual(["snap-0a1b2c3d4e5f67890"]);
});

test("the latest snapshot, and user-data of others, name none", async () => {
  for (const text of [
    "apiVersion: eclair-ami/v1\nchainVolume: { snapshotId: latest }\n",
    "#!/bin/sh\necho hello\n",
  ])
    expect(await snapshotIdsIn(Buffer.from(text))).toEqual([]);
});
