import type { CopySnapshotCommand } from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { copyChainSnapshot } from "../../../../scripts/cluster/chain/copy.ts";
import { factsOf } from "../../../../bootstrap/contract/chain/snapshot-tags.ts";
import { tags } from "../../../../bootstrap/contract/tags.ts";
import type { Target } from "../../../../scripts/target/target.ts";
import { chainFacts } from "../../../support/chain-facts.ts";

test.each([undefined, "2026-01-01T00:00:00Z"])(
  "a copy in another region has the description of its source, verified at %s",
  async (verifiedAt) => {
    const sent: { region: string | undefined; input: CopySnapshotCommand["input"] }[] = [];
    const client = (_service: unknown, scope: { region?: string } = {}) => ({
      send: ({ input }: CopySnapshotCommand) => {
        sent.push({ region: scope.region, input });
        return Promise.resolve({ SnapshotId: "snap-copy" });
      },
    });
    const target = { name: "aws", region: "eu-west-1", client } as unknown as Target;
    const source = {
      ...{ snapshotId: "snap-source", cluster: "demo", facts: chainFacts, createdAt: new Date(0) },
      ...{ state: "completed", gibibytes: 1, verifiedAt },
    };
    expect(await copyChainSnapshot(target, source, { region: "us-east-1" })).toBe("snap-copy");
    const [call] = sent;
    expect(call).toMatchObject({
      region: "us-east-1",
      input: { SourceRegion: "eu-west-1", SourceSnapshotId: "snap-source", Encrypted: true },
    });
    const copied = call?.input.TagSpecifications?.[0]?.Tags ?? [];
    expect(factsOf(copied)).toEqual(chainFacts);
    expect(copied.find(({ Key }) => Key === tags.verified)?.Value).toBe(verifiedAt);
  },
);
