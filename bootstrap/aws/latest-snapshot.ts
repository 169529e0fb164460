import type { EC2Client, Snapshot } from "@aws-sdk/client-ec2";
import { latestSnapshot } from "../contract/chain/latest.ts";
import type { Chain, NodeConfiguration } from "../contract/configuration/node.ts";
import { EclairAmiError } from "../contract/errors.ts";
import { chainVolumePurpose, tags } from "../contract/tags.ts";
import { bitcoindVersion } from "../eclair/image.ts";
import { logError, logEvent } from "../os/log.ts";

/**
 * The newest verified snapshot of a chain that the bitcoind of this image can read.
 * @throws EclairAmiError `chain.no-snapshot`
 */
export async function latestChainSnapshot(client: EC2Client, chain: Chain): Promise<string> {
  const version = bitcoindVersion();
  const latest = choose(await readChainSnapshots(client), chain);
  if (latest === undefined)
    throw new EclairAmiError({
      code: "chain.no-snapshot",
      operation: "creating the chain volume",
      message: `no verified snapshot of ${chain} exists that bitcoind ${version} can read`,
      remedy:
        "create one with `eclair-ami chain snapshot` and `eclair-ami chain verify`, or remove `chainVolume.snapshotId`: bitcoind then downloads the whole chain",
    });
  return latest;
}

/**
 * The snapshot for a volume that replaces a broken one, when the configuration names none: the newest verified snapshot of the same
 * cluster, because a chain volume contains the wallet of its node.
 * @param gibibytes of the new volume, which must have room for the snapshot
 * @returns undefined when no snapshot can be used: the volume is empty then
 */
export async function replacementSnapshot(
  client: EC2Client,
  { cluster, chain }: Pick<NodeConfiguration, "cluster" | "chain">,
  gibibytes: number,
): Promise<string | undefined> {
  let snapshots: readonly Snapshot[];
  try {
    snapshots = await readChainSnapshots(client);
  } catch (error) {
    logError("volume.empty-replacement", error);
    return undefined;
  }
  const isOfCluster = ({ Tags = [] }: Snapshot) =>
    Tags.some(({ Key, Value }) => Key === tags.cluster && Value === cluster);
  return choose(
    snapshots.filter((one) => isOfCluster(one) && (one.VolumeSize ?? Infinity) <= gibibytes),
    chain,
  );
}

async function readChainSnapshots(client: EC2Client): Promise<readonly Snapshot[]> {
  const sdk = await import("@aws-sdk/client-ec2");
  const Filters = [{ Name: `tag:${tags.snapshot}`, Values: [chainVolumePurpose] }];
  const found: Snapshot[] = [];
  for await (const page of sdk.paginateDescribeSnapshots({ client }, { OwnerIds: ["self"], Filters }))
    found.push(...(page.Snapshots ?? []));
  return found;
}

function choose(snapshots: readonly Snapshot[], chain: Chain): string | undefined {
  const latest = latestSnapshot(snapshots, chain, bitcoindVersion());
  if (latest === undefined) return undefined;
  logEvent("volume.from-snapshot", { snapshotId: latest.snapshotId, height: latest.facts.height });
  return latest.snapshotId;
}
