import {
  DeleteSnapshotCommand,
  DescribeInstanceAttributeCommand,
  EC2Client,
  paginateDescribeInstances,
  paginateDescribeLaunchTemplateVersions,
  paginateDescribeLaunchTemplates,
} from "@aws-sdk/client-ec2";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { majorOf } from "../../../bootstrap/contract/chain/latest.ts";
import { documentIn, unpack } from "../../../bootstrap/contract/userdata/documents.ts";
import type { Target } from "../../target/target.ts";
import type { ChainSnapshot } from "./snapshots.ts";

export type Pruning = {
  readonly snapshot: ChainSnapshot;
  /** Why the snapshot is kept; undefined when it is deleted. */
  readonly keptBecause: string | undefined;
};

/**
 * Which snapshots of a cluster stay: the newest ones, every snapshot that a configuration in use names, and the newest verified
 * one of each chain and major version of bitcoind: `snapshotId: latest` of an older image cannot use a newer version.
 * @param snapshots the newest first
 * @param keep the number of completed snapshots to keep
 * @param named the ids of the snapshots in configurations
 */
export function planPruning(
  snapshots: readonly ChainSnapshot[],
  keep: number,
  named: ReadonlySet<string>,
): readonly Pruning[] {
  const completed = snapshots.filter(({ state }) => state === "completed");
  const newest = new Set(completed.slice(0, keep));
  const verified = new Map<string, ChainSnapshot>();
  for (const snapshot of completed.filter(({ verifiedAt }) => verifiedAt !== undefined)) {
    const { chain, bitcoindVersion } = snapshot.facts;
    const kind = `${chain} ${majorOf(bitcoindVersion)}`;
    if (!verified.has(kind)) verified.set(kind, snapshot);
  }
  const newestVerified = new Set(verified.values());
  return snapshots.map((snapshot) => {
    const reasons: [boolean, string][] = [
      [named.has(snapshot.snapshotId), "a configuration in use names it"],
      [snapshot.state === "pending", "EBS still copies it"],
      [newest.has(snapshot), `it is one of the newest ${keep}`],
      [newestVerified.has(snapshot), "it is the newest verified one of its version of bitcoind"],
    ];
    return { snapshot, keptBecause: reasons.find(([applies]) => applies)?.[1] };
  });
}

export async function deleteSnapshots(target: Target, pruning: readonly Pruning[]): Promise<void> {
  for (const { snapshot, keptBecause } of pruning)
    if (keptBecause === undefined)
      await target.client(EC2Client).send(new DeleteSnapshotCommand({ SnapshotId: snapshot.snapshotId }));
}

/** The snapshots that the configurations of all instances and of all versions of all launch templates name. */
export async function namedSnapshots(target: Target): Promise<ReadonlySet<string>> {
  const client = target.client(EC2Client);
  const named = new Set<string>();
  const note = async (userData: string | undefined) => {
    if (userData === undefined || userData === "") return;
    for (const id of await snapshotIdsIn(Buffer.from(userData, "base64"))) named.add(id);
  };
  const Filters = [
    { Name: "tag-key", Values: [tags.cluster] },
    { Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] },
  ];
  for await (const { Reservations = [] } of paginateDescribeInstances({ client }, { Filters }))
    for (const { Instances = [] } of Reservations)
      for (const { InstanceId = "" } of Instances) {
        const { UserData } = await client.send(
          new DescribeInstanceAttributeCommand({ InstanceId, Attribute: "userData" }),
        );
        await note(UserData?.Value);
      }
  for await (const { LaunchTemplates = [] } of paginateDescribeLaunchTemplates({ client }, {}))
    for (const { LaunchTemplateId } of LaunchTemplates)
      for await (const { LaunchTemplateVersions = [] } of paginateDescribeLaunchTemplateVersions(
        { client },
        { LaunchTemplateId },
      ))
        for (const { LaunchTemplateData } of LaunchTemplateVersions) await note(LaunchTemplateData?.UserData);
  return named;
}

/** The ids in user-data, also in a configuration of another version of this project, which this version cannot read. */
export async function snapshotIdsIn(userData: Buffer): Promise<readonly string[]> {
  const document = await documentIn(userData).catch(() => ({ text: unpackedText(userData) }));
  return document?.text.match(/\bsnap-[0-9a-f]+\b/g) ?? [];
}

/** No instance can read user-data that cannot be unpacked. */
function unpackedText(userData: Buffer): string {
  try {
    return unpack(userData).toString("latin1");
  } catch {
    return "";
  }
}
