import { EC2Client } from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { tagsOf } from "../../../../bootstrap/contract/chain/snapshot-tags.ts";
import type { Chain, NodeConfiguration } from "../../../../bootstrap/contract/configuration/node.ts";
import { tags } from "../../../../bootstrap/contract/tags.ts";
import { requireChainSnapshot } from "../../../../scripts/cluster/chain/snapshots.ts";
import type { Target } from "../../../../scripts/target/target.ts";
import { chainFacts } from "../../../support/chain-facts.ts";

/** A target with one snapshot that `chain verify` has accepted. */
const target = {
  client: () => {
    const client = new EC2Client({ region: "eu-west-1" });
    const Tags = [...tagsOf("demo", chainFacts), { Key: tags.verified, Value: "2026-01-01T00:00:00Z" }];
    const Snapshots = [
      { SnapshotId: "snap-1", State: "completed", StartTime: new Date(), VolumeSize: 1, Tags },
    ];
    client.send = async () => await Promise.resolve({ Snapshots });
    return client;
  },
} as unknown as Target;
const require = async (chain: Chain, bitcoindVersion: string, snapshotId?: string) =>
  await requireChainSnapshot(
    target,
    { cluster: "demo", chain, chainVolume: { snapshotId } } as unknown as NodeConfiguration,
    new Map([[tags.bitcoindVersion, bitcoindVersion]]),
  );

test("`latest` needs a verified snapshot of the chain that the image's bitcoind can read", async () => {
  await expect(require("regtest", "31.1", "latest")).resolves.toBeUndefined();
  const refused = {
    code: "chain.no-snapshot",
    remedy: expect.stringMatching(/more than 700 GB and one day or more/),
  };
  await expect(require("mainnet", "31.1", "latest")).rejects.toMatchObject(refused);
  await expect(require("regtest", "0.1", "latest")).rejects.toMatchObject(refused);
});

test("an empty volume, and a snapshot that is named by its id, need no other snapshot", async () => {
  await expect(require("mainnet", "31.1")).resolves.toBeUndefined();
  await expect(require("mainnet", "31.1", "snap-2")).resolves.toBeUndefined();
});
