import { DescribeInstancesCommand, type Instance } from "@aws-sdk/client-ec2";
import {
  DescribeTargetHealthCommand,
  paginateDescribeTargetGroups,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { execa } from "execa";
import { healthPort } from "../../bootstrap/supervise/health.ts";
import { InstanceState } from "../../bootstrap/supervise/state.ts";
import { nodeBinary } from "../setup/places.mjs";
import type { Target } from "../target/target.ts";
import { consoleOf, stepsIn } from "./console.ts";
import { clusterTag } from "../../bootstrap/aws/tags.ts";

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
  /** What its supervisor says; on AWS there is no way to ask it yet. */
  readonly state?: InstanceState;
  /** The last thing that the boot said on the console, and whether it gave up. */
  readonly boot: { readonly said: string; readonly gaveUp: boolean };
};

export async function nodeStatuses(target: Target): Promise<NodeStatus[]> {
  const { Reservations } = await target.ec2.send(
    new DescribeInstancesCommand({ Filters: [{ Name: "tag-key", Values: [clusterTag] }] }),
  );
  const instances = (Reservations ?? [])
    .flatMap((reservation) => reservation.Instances ?? [])
    .filter((instance) => instance.State?.Name !== "terminated");
  const health = instances.length > 0 ? await targetHealth(target) : new Map<string, string[]>();
  return await Promise.all(instances.map((instance) => statusOf(target, instance, health)));
}

async function statusOf(
  target: Target,
  instance: Instance,
  health: ReadonlyMap<string, string[]>,
): Promise<NodeStatus> {
  const instanceId = instance.InstanceId ?? "";
  const tag = (key: string) => instance.Tags?.find((candidate) => candidate.Key === key)?.Value ?? "";
  const state = await supervisorState(target, instance.PrivateIpAddress ?? "");
  return {
    instanceId,
    name: tag("Name"),
    cluster: tag(clusterTag),
    instance: instance.State?.Name ?? "",
    imageId: instance.ImageId ?? "",
    address: instance.PrivateIpAddress ?? "",
    zone: instance.Placement?.AvailabilityZone ?? "",
    targetHealth: health.get(instanceId) ?? [],
    ...(state !== undefined && { state }),
    boot: bootOf(stepsIn(await consoleOf(target, instanceId))),
  };
}

function bootOf(steps: ReturnType<typeof stepsIn>): NodeStatus["boot"] {
  // The supervisor's lines come after the boot's; a phase has a duration.
  const last = steps.findLast(({ name, facts }) => name === "idle" || typeof facts["ms"] === "number");
  if (last === undefined) return { said: "nothing on the console yet", gaveUp: false };
  const failed = last.facts["failed"] as { code?: string; cause?: string; triedAgain?: boolean } | undefined;
  if (failed === undefined) return { said: last.name, gaveUp: false };
  const said = `${last.name} failed: ${failed.code ?? ""}: ${failed.cause ?? ""}`;
  return { said, gaveUp: failed.triedAgain !== true };
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

const ask = `const r = await fetch(process.argv[1], { signal: AbortSignal.timeout(3000) }); process.stdout.write(await r.text());`;

/** The supervisor's own word. Only the lab's network can be reached from here. */
async function supervisorState(target: Target, address: string): Promise<InstanceState | undefined> {
  const [reach, ...words] = target.reach;
  if (reach === undefined || address === "") return undefined;
  const url = `http://${address}:${healthPort}/ready`;
  const { stdout, exitCode } = await execa(
    reach,
    [...words, nodeBinary, "--input-type=module", "--eval", ask, url],
    { reject: false },
  );
  if (exitCode !== 0) return undefined;
  const parsed = InstanceState.safeParse(JSON.parse(stdout));
  return parsed.success ? parsed.data : undefined;
}
