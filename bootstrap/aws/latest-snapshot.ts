import type { EC2Client, Snapshot } from "@aws-sdk/client-ec2";
import { latestSnapshot, type UsableSnapshot } from "../contract/chain/latest.ts";
import type { NodeConfiguration } from "../contract/configuration/node.ts";
import { EclairAmiError } from "../contract/errors.ts";
import { chainVolumePurpose, tags } from "../contract/tags.ts";
import { bitcoindVersion } from "../eclair/image.ts";
import { logEvent } from "../os/log.ts";

type Node = Pick<NodeConfiguration, "cluster" | "chain">;

/**
 * The newest verified snapshot of a node's chain that the bitcoind of this image can read, preferably of the node's own cluster.
 * @throws EclairAmiError `chain.no-snapshot`
 */
export async function latestChainSnapshot(client: EC2Client, node: Node): Promise<UsableSnapshot> {
  const version = bitcoindVersion();
  const latest = choose(await readChainSnapshots(client), node);
  if (latest === undefined)
    throw new EclairAmiError({
      code: "chain.no-snapshot",
      operation: "creating the chain volume",
      message: `no verified snapshot of ${node.chain} exists that bitcoind ${version} can read`,
      remedy:
        "create one with `eclair-ami chain snapshot` and `eclair-ami chain verify`, or remove `chainVolume.snapshotId`: bitcoind then downloads the whole chain",
    });
  return latest;
}

/**
 * The snapshot for a volume that replaces a broken one, when the configuration names none: the newest verified snapshot of the same
 * cluster, because a chain volume contains the wallet of its node.
 * @returns undefined when no snapshot exists: the volume is empty then, and later boots keep it. Snapshots that cannot be read are
 * therefore an error.
 */
export async function replacementSnapshot(
  client: EC2Client,
  node: Node,
): Promise<UsableSnapshot | undefined> {
  const latest = choose(await readChainSnapshots(client), node);
  if (latest?.cluster === node.cluster) return latest;
  logEvent("volume.empty-replacement", {}, "warn");
  return undefined;
}

async function readChainSnapshots(client: EC2Client): Promise<readonly Snapshot[]> {
  const sdk = await import("@aws-sdk/client-ec2");
  const Filters = [{ Name: `tag:${tags.snapshot}`, Values: [chainVolumePurpose] }];
  const found: Snapshot[] = [];
  for await (const page of sdk.paginateDescribeSnapshots({ client }, { OwnerIds: ["self"], Filters }))
    found.push(...(page.Snapshots ?? []));
  return found;
}

const choose = (snapshots: readonly Snapshot[], node: Node) =>
  latestSnapshot(snapshots, { ...node, bitcoindVersion: bitcoindVersion() });
