import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { paginateDescribeInstances, EC2Client, type Instance } from "@aws-sdk/client-ec2";
import { defaultTable } from "../../bootstrap/contract/record/default-table.ts";
import { ClusterTable, documentClient } from "../../bootstrap/contract/record/table.ts";
import { BootReport } from "../../bootstrap/contract/reports/boot.ts";
import { InstanceReport } from "../../bootstrap/contract/reports/instance.ts";
import { tags } from "../../bootstrap/contract/tags.ts";
import type { Target } from "../target/target.ts";
import { progressOfConsole, progressOfReport, type BootProgress } from "./boot-progress.ts";
import { bootstrapEvents, consoleOutput } from "./console.ts";
import { targetHealth } from "./target-health.ts";
import { allItems } from "../target/pages.ts";

/** One instance of a cluster, as AWS and the instance's own report describe it. */
export type NodeStatus = {
  readonly instanceId: string;
  readonly name: string;
  readonly cluster: string;
  /** EC2's state of the instance, e.g. `running`. */
  readonly instanceState: string;
  readonly imageId: string;
  readonly privateIp: string;
  readonly availabilityZone: string;
  /** The state that ELB reports for the instance, one for each target group that an instance of its cluster reports. */
  readonly targetHealth: readonly string[];
  /** The last report of the instance's supervisor. */
  readonly report?: InstanceReport;
  /** When the instance sent its report, in ISO 8601. */
  readonly reportedAt?: string;
  readonly boot: BootProgress;
};

export type StatusQuery = {
  readonly table?: string;
  readonly cluster?: string;
  /**
   * Called for each cluster whose reports cannot be read; its instances are returned without reports. Without this
   * function, `nodeStatuses` throws.
   */
  readonly onUnreadable?: (error: unknown, cluster: string) => void;
};

/** The instances of all clusters, or of one cluster, with their reports. */
export async function nodeStatuses(
  target: Target,
  { table = defaultTable, cluster, onUnreadable }: StatusQuery = {},
): Promise<NodeStatus[]> {
  const instances = await describeInstances(target, cluster);
  if (instances.length === 0) return [];
  const reports = await readReports(target, table, instances, onUnreadable);
  const arns = [...reports.values()].flatMap(({ report }) => report?.targetGroupArns ?? []);
  const health = await targetHealth(target, arns);
  return await Promise.all(instances.map((instance) => statusOf(target, instance, health, reports)));
}

async function describeInstances(target: Target, cluster: string | undefined): Promise<Instance[]> {
  const filter =
    cluster === undefined
      ? { Name: "tag-key", Values: [tags.cluster] }
      : { Name: `tag:${tags.cluster}`, Values: [cluster] };
  const reservations = await allItems(
    paginateDescribeInstances({ client: target.client(EC2Client) }, { Filters: [filter] }),
    ({ Reservations }) => Reservations,
  );
  return reservations
    .flatMap(({ Instances = [] }) => Instances)
    .filter(({ State }) => State?.Name !== "terminated");
}

async function statusOf(
  target: Target,
  instance: Instance,
  health: ReadonlyMap<string, string[]>,
  reports: ReadonlyMap<string, Reported>,
): Promise<NodeStatus> {
  const instanceId = instance.InstanceId ?? "";
  const { report, reportedAt, boot } = reports.get(instanceId) ?? {};
  return {
    instanceId,
    name: tagOf(instance, "Name"),
    cluster: tagOf(instance, tags.cluster),
    instanceState: instance.State?.Name ?? "",
    imageId: instance.ImageId ?? "",
    privateIp: instance.PrivateIpAddress ?? "",
    availabilityZone: instance.Placement?.AvailabilityZone ?? "",
    targetHealth: health.get(instanceId) ?? [],
    ...(report !== undefined && { report }),
    ...(reportedAt !== undefined && { reportedAt }),
    boot: boot ?? progressOfConsole(bootstrapEvents(await consoleOutput(target, instanceId))),
  };
}

const tagOf = (instance: Instance, key: string) =>
  instance.Tags?.find((candidate) => candidate.Key === key)?.Value ?? "";

type Reported = Pick<NodeStatus, "report" | "reportedAt"> & Partial<Pick<NodeStatus, "boot">>;

async function readReports(
  target: Target,
  table: string,
  instances: readonly Instance[],
  onUnreadable: StatusQuery["onUnreadable"],
): Promise<Map<string, Reported>> {
  const client = documentClient(target.client(DynamoDBClient));
  const clusters = [...new Set(instances.map((instance) => tagOf(instance, tags.cluster)))];
  const reports = await Promise.all(
    clusters.map((cluster) => reportsOf(new ClusterTable(client, table, cluster), onUnreadable)),
  );
  return new Map(
    reports.flatMap((ofCluster) =>
      [...ofCluster].map(
        ([id, { reportedAt, report }]) => [id, { reportedAt, ...parseReport(report) }] as const,
      ),
    ),
  );
}

async function reportsOf(
  table: ClusterTable,
  onUnreadable: StatusQuery["onUnreadable"],
): ReturnType<ClusterTable["reports"]> {
  try {
    return await table.reports(new Date());
  } catch (error) {
    // A caller with permission for one cluster still sees the instances of the other clusters, without their reports.
    const denied = error instanceof Error && /AccessDenied/.test(error.name);
    if (onUnreadable === undefined && !denied) throw error;
    onUnreadable?.(error, table.cluster);
    return new Map();
  }
}

/** The report of a supervisor, or of a boot that failed. An image of another version can write another report. */
function parseReport(value: unknown): Pick<Reported, "report" | "boot"> {
  const report = InstanceReport.safeParse(value);
  if (report.success) return { report: report.data, boot: progressOfReport(report.data.boot) };
  const boot = BootReport.safeParse(value);
  return boot.success && boot.data.boot.failure !== undefined
    ? { boot: progressOfReport(boot.data.boot) }
    : {};
}
