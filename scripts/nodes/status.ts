import { DescribeInstancesCommand, type Instance } from "@aws-sdk/client-ec2";
import {
  DescribeTargetHealthCommand,
  paginateDescribeTargetGroups,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { BootReport, type BootRecord } from "../../bootstrap/phases.ts";
import { defaultTable } from "../../bootstrap/record/default-table.ts";
import { ClusterTable, documentClient } from "../../bootstrap/record/table.ts";
import { InstanceState } from "../../bootstrap/supervise/state.ts";
import type { Target } from "../target/target.ts";
import { consoleOf, stepsIn } from "./console.ts";
import { clusterTag } from "../../bootstrap/aws/tags.ts";

/** A supervisor tells how it stands at least every ten seconds: what is older may no longer be so. */
export const freshSeconds = 30;

/** One instance of a cluster, as far as it can be seen from here. */
export type NodeStatus = {
  readonly instanceId: string;
  readonly name: string;
  readonly cluster: string;
  readonly instance: string;
  readonly imageId: string;
  readonly address: string;
  readonly zone: string;
  /** What the load balancers say, one for each target group. */
  readonly targetHealth: readonly string[];
  /** What its supervisor last told the clusters' table. */
  readonly state?: InstanceState;
  /** When it told that, in ISO 8601. */
  readonly toldAt?: string;
  /** The last thing that the boot said on the console, whether it was a failure, and whether it gave up with it. */
  readonly boot: { readonly said: string; readonly failed: boolean; readonly gaveUp: boolean };
};

/** A standby whose Eclair is started and held, unless its configuration wants none before the lease runs out. */
export const isReadyStandby = ({ state }: NodeStatus): boolean =>
  state?.role === "standby" && isAsArmedAsWanted(state);

export const isAsArmedAsWanted = ({ eclair }: Pick<InstanceState, "eclair">): boolean =>
  eclair.armed === "yes" || eclair.armsLate;

export type StatusQuery = {
  readonly table?: string;
  readonly cluster?: string;
  /** Called when the table can't be read; instances are given without what they tell there. Without it, that throws. */
  readonly onUnreadable?: (error: unknown) => void;
};

/** The instances of all clusters, or of one, with what each of them has told the clusters' table. */
export async function nodeStatuses(
  target: Target,
  { table = defaultTable, cluster, onUnreadable }: StatusQuery = {},
): Promise<NodeStatus[]> {
  const filter =
    cluster === undefined
      ? { Name: "tag-key", Values: [clusterTag] }
      : { Name: `tag:${clusterTag}`, Values: [cluster] };
  const { Reservations } = await target.ec2.send(new DescribeInstancesCommand({ Filters: [filter] }));
  const instances = (Reservations ?? [])
    .flatMap((reservation) => reservation.Instances ?? [])
    .filter((instance) => instance.State?.Name !== "terminated");
  if (instances.length === 0) return [];
  const told = reportsOf(target, table, instances).catch((error: unknown) => {
    if (onUnreadable === undefined) throw error;
    onUnreadable(error);
    return new Map<string, Reported>();
  });
  const [health, reports] = await Promise.all([targetHealth(target), told]);
  return await Promise.all(instances.map((instance) => statusOf(target, instance, health, reports)));
}

async function statusOf(
  target: Target,
  instance: Instance,
  health: ReadonlyMap<string, string[]>,
  reports: ReadonlyMap<string, Reported>,
): Promise<NodeStatus> {
  const instanceId = instance.InstanceId ?? "";
  const { state, toldAt, boot } = reports.get(instanceId) ?? {};
  return {
    instanceId,
    name: tagOf(instance, "Name"),
    cluster: tagOf(instance, clusterTag),
    instance: instance.State?.Name ?? "",
    imageId: instance.ImageId ?? "",
    address: instance.PrivateIpAddress ?? "",
    zone: instance.Placement?.AvailabilityZone ?? "",
    targetHealth: health.get(instanceId) ?? [],
    ...(state !== undefined && { state }),
    ...(toldAt !== undefined && { toldAt }),
    // What came before the table could be told stands on the console alone.
    boot: boot ?? bootOf(stepsIn(await consoleOf(target, instanceId))),
  };
}

const tagOf = (instance: Instance, key: string) =>
  instance.Tags?.find((candidate) => candidate.Key === key)?.Value ?? "";

type Reported = Pick<NodeStatus, "state" | "toldAt"> & Partial<Pick<NodeStatus, "boot">>;

async function reportsOf(
  target: Target,
  table: string,
  instances: readonly Instance[],
): Promise<Map<string, Reported>> {
  const found = new Map<string, Reported>();
  const client = documentClient(target.dynamodb);
  for (const name of new Set(instances.map((instance) => tagOf(instance, clusterTag))))
    for (const [id, { at, report }] of await readable(new ClusterTable(client, table, name)))
      found.set(id, { toldAt: at, ...reported(report) });
  return found;
}

/** Whoever may look at one cluster alone still sees the others' instances. */
async function readable(table: ClusterTable): ReturnType<ClusterTable["reports"]> {
  try {
    return await table.reports(new Date());
  } catch (error) {
    if (error instanceof Error && /AccessDenied/.test(error.name)) return new Map();
    throw error;
  }
}

function reported(report: unknown): Reported {
  const state = InstanceState.safeParse(report);
  if (state.success) return { state: state.data, boot: bootIn(state.data.boot) };
  const { success, data } = BootReport.safeParse(report);
  return success && data.boot.failure !== undefined ? { boot: bootIn(data.boot) } : {};
}

function bootIn({ state, failure }: BootRecord): NodeStatus["boot"] {
  if (state !== "failed" || failure === undefined) return { said: state, failed: false, gaveUp: false };
  const { phase, code, cause, triedAgain } = failure;
  return {
    said: `${String(phase)} failed: ${String(code)}: ${String(cause)}`,
    failed: true,
    gaveUp: triedAgain !== true,
  };
}

function bootOf(steps: ReturnType<typeof stepsIn>): NodeStatus["boot"] {
  // The supervisor's lines come after the boot's; a phase has a duration.
  const last = steps.findLast(({ name, facts }) => name === "idle" || typeof facts["ms"] === "number");
  if (last === undefined) return { said: "nothing on the console yet", failed: false, gaveUp: false };
  const failed = last.facts["failed"] as { code?: string; cause?: string; triedAgain?: boolean } | undefined;
  if (failed === undefined) return { said: last.name, failed: false, gaveUp: false };
  const said = `${last.name} failed: ${failed.code ?? ""}: ${failed.cause ?? ""}`;
  return { said, failed: true, gaveUp: failed.triedAgain !== true };
}

async function targetHealth(target: Target): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for await (const page of paginateDescribeTargetGroups({ client: target.elb }, {}))
    for (const group of page.TargetGroups ?? []) {
      const { TargetHealthDescriptions } = await target.elb.send(
        new DescribeTargetHealthCommand({ TargetGroupArn: group.TargetGroupArn }),
      );
      for (const { Target: at, TargetHealth } of TargetHealthDescriptions ?? [])
        found.set(at?.Id ?? "", [...(found.get(at?.Id ?? "") ?? []), TargetHealth?.State ?? ""]);
    }
  return found;
}
