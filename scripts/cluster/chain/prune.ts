import {
  DeleteSnapshotCommand,
  DescribeInstanceAttributeCommand,
  EC2Client,
  paginateDescribeInstances,
  paginateDescribeLaunchTemplateVersions,
  paginateDescribeLaunchTemplates,
} from "@aws-sdk/client-ec2";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { configurationIn } from "../../../bootstrap/contract/userdata/configuration.ts";
import type { Target } from "../../target/target.ts";
import type { ChainSnapshot } from "./snapshots.ts";

export type Pruning = {
  readonly snapshot: ChainSnapshot;
  /** Why the snapshot is kept; undefined when it is deleted. */
  readonly keptBecause: string | undefined;
};

/**
 * Which snapshots of a cluster stay: the newest ones, the newest verified one, and every snapshot that a configuration in use
 * names.
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
  const verified = completed.find(({ verifiedAt }) => verifiedAt !== undefined);
  return snapshots.map((snapshot) => {
    const reasons: [boolean, string][] = [
      [named.has(snapshot.snapshotId), "a configuration in use names it"],
      [snapshot.state === "pending", "EBS still copies it"],
      [newest.has(snapshot), `it is one of the newest ${keep}`],
      [snapshot === verified, "it is the newest verified one"],
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
    // User-data that this project does not understand names no snapshot of this project.
    const configuration = await configurationIn(Buffer.from(userData, "base64")).catch(() => undefined);
    if (configuration?.kind !== "Node") return;
    const id = configuration.chainVolume?.snapshotId;
    if (id !== undefined) named.add(id);
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
