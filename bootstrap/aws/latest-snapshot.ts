import type { EC2Client, Snapshot } from "@aws-sdk/client-ec2";
import { latestSnapshot } from "../contract/chain/latest.ts";
import type { Chain } from "../contract/configuration/node.ts";
import { EclairAmiError } from "../contract/errors.ts";
import { chainVolumePurpose, tags } from "../contract/tags.ts";
import { bitcoindVersion } from "../eclair/image.ts";
import { logEvent } from "../os/log.ts";

/** The newest verified snapshot of a chain that the bitcoind of this image can read. */
export async function latestChainSnapshot(client: EC2Client, chain: Chain): Promise<string> {
  const sdk = await import("@aws-sdk/client-ec2");
  const Filters = [{ Name: `tag:${tags.snapshot}`, Values: [chainVolumePurpose] }];
  const found: Snapshot[] = [];
  for await (const page of sdk.paginateDescribeSnapshots({ client }, { OwnerIds: ["self"], Filters }))
    found.push(...(page.Snapshots ?? []));
  const version = bitcoindVersion();
  const latest = latestSnapshot(found, chain, version);
  if (latest === undefined)
    throw new EclairAmiError({
      code: "chain.no-snapshot",
      operation: "creating the chain volume",
      message: `no verified snapshot of ${chain} exists that bitcoind ${version} can read`,
      remedy:
        "create one with `eclair-ami chain snapshot` and `eclair-ami chain verify`, or remove `chainVolume.snapshotId`: bitcoind then downloads the whole chain",
    });
  logEvent("volume.from-snapshot", { snapshotId: latest.snapshotId, height: latest.facts.height });
  return latest.snapshotId;
}
