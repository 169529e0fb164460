import { EC2Client, paginateDescribeSnapshots, type Snapshot } from "@aws-sdk/client-ec2";
import { latestSnapshot } from "../../../bootstrap/contract/chain/latest.ts";
import { factsOf } from "../../../bootstrap/contract/chain/snapshot-tags.ts";
import type { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { ChainFacts } from "../../../bootstrap/contract/requests/chain-snapshot.ts";
import { chainVolumePurpose, tags } from "../../../bootstrap/contract/tags.ts";
import type { Target } from "../../target/target.ts";

/** A snapshot of a chain volume. */
export type ChainSnapshot = {
  readonly snapshotId: string;
  readonly cluster: string;
  readonly facts: ChainFacts;
  readonly createdAt: Date;
  /** EBS copies the blocks of a snapshot after its creation: `pending`, then `completed` or `error`. */
  readonly state: string;
  readonly gibibytes: number;
  /** When `chain verify` accepted it. */
  readonly verifiedAt: string | undefined;
};

/** The snapshots of chain volumes, the newest first. */
export async function chainSnapshots(target: Target, cluster?: string): Promise<ChainSnapshot[]> {
  const found = await readSnapshots(target, cluster);
  return found
    .flatMap(({ SnapshotId = "", Tags = [], StartTime, State, VolumeSize }): ChainSnapshot[] => {
      const facts = factsOf(Tags);
      if (facts === undefined) return [];
      const value = (key: string) => Tags.find(({ Key }) => Key === key)?.Value;
      return [
        {
          ...{ snapshotId: SnapshotId, cluster: value(tags.cluster) ?? "", facts },
          createdAt: StartTime ?? new Date(0),
          ...{ state: State ?? "", gibibytes: VolumeSize ?? 0 },
          // `chain verify` empties the tag of a snapshot that it refuses.
          verifiedAt: value(tags.verified) || undefined,
        },
      ];
    })
    .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
}

/**
 * Before an instance starts whose configuration has `snapshotId: latest`: such a snapshot exists.
 * @param imageTags of the image, which name the version of its bitcoind
 */
export async function requireChainSnapshot(
  target: Target,
  { cluster, chain, chainVolume }: Pick<NodeConfiguration, "cluster" | "chain" | "chainVolume">,
  imageTags: ReadonlyMap<string, string>,
): Promise<void> {
  if (chainVolume?.snapshotId !== "latest") return;
  const bitcoindVersion = imageTags.get(tags.bitcoindVersion) ?? "0";
  if (latestSnapshot(await readSnapshots(target), { cluster, chain, bitcoindVersion }) !== undefined) return;
  throw new EclairAmiError({
    code: "chain.no-snapshot",
    operation: "looking for the latest snapshot of the chain",
    message: `no verified snapshot of ${chain} exists that bitcoind ${bitcoindVersion} can read`,
    remedy:
      "create one with `eclair-ami chain snapshot` and `eclair-ami chain verify`. Or remove `chainVolume.snapshotId`: on a volume without an earlier chain, bitcoind then downloads and checks the whole chain, on mainnet more than 700 GB and one day or more, and until then the instance cannot run Eclair",
    exitCode: 2,
  });
}

async function readSnapshots(target: Target, cluster?: string): Promise<Snapshot[]> {
  const Filters = [
    { Name: `tag:${tags.snapshot}`, Values: [chainVolumePurpose] },
    ...(cluster === undefined ? [] : [{ Name: `tag:${tags.cluster}`, Values: [cluster] }]),
  ];
  const found: Snapshot[] = [];
  const client = target.client(EC2Client);
  for await (const { Snapshots = [] } of paginateDescribeSnapshots(
    { client },
    { OwnerIds: ["self"], Filters },
  ))
    found.push(...Snapshots);
  return found;
}
