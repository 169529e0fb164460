import { DescribeInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { execa } from "execa";
import { setTimeout as sleep } from "node:timers/promises";
import { clusterTag } from "../../bootstrap/aws/tags.ts";
import type { NodeConfiguration } from "../../bootstrap/config/node.ts";
import { Failure } from "../core/failure.ts";
import { lastHolder, type Pair } from "../lab/cluster/failover.ts";
import { loadBalancerPlace } from "../lab/cluster/demo.ts";
import { zones } from "../lab/addresses.ts";
import { amongServices, type LabFacts } from "../lab/facts.ts";
import { bashInGuest } from "../lab/guest/run.ts";
import type { LabPlace } from "../lab/place.ts";
import { haproxyPidFile } from "../lab/nlb/haproxy.ts";
import { OutsideDatabase } from "../lab/rds/outside.ts";
import { launch } from "../nodes/launch.ts";
import { isReadyStandby, nodeStatuses, type NodeStatus } from "../nodes/status.ts";
import type { Target } from "../target/target.ts";

const settledWithinMilliseconds = 180_000;
const pollMilliseconds = 250;

/** Where drills play: a cluster of the lab with two instances of one image. */
export type Stage = {
  readonly lab: LabPlace;
  readonly facts: LabFacts;
  readonly target: Target;
  readonly configuration: NodeConfiguration;
  readonly configurationFile: string;
  readonly imageId: string;
};

export const databaseOf = ({ lab, facts, configuration }: Stage) =>
  new OutsideDatabase(lab, facts, configuration.cluster);

/** Runs a script inside a guest as its root; its own failure is the caller's to look at. */
export async function inGuest({ lab }: Stage, instanceId: string, script: string): Promise<string> {
  return (await bashInGuest(lab, instanceId, script, { stdin: "ignore", reject: false })).stdout;
}

export async function statuses({ target, configuration }: Stage): Promise<NodeStatus[]> {
  return await nodeStatuses(target, {
    table: configuration.record.table,
    cluster: configuration.cluster,
  });
}

export async function addressOf(stage: Stage, instanceId: string): Promise<string> {
  return (await statuses(stage)).find((one) => one.instanceId === instanceId)?.address ?? "";
}

/** The active one and its ready standby, to which the load balancer sends traffic and nothing, when it is so. */
async function pair(stage: Stage): Promise<Pair | undefined> {
  const found = await statuses(stage);
  const holder = await lastHolder((text) => databaseOf(stage).sql(text));
  const active = found.find(
    ({ address, state, targetHealth }) =>
      state?.active === true && address === holder && targetHealth.includes("healthy"),
  );
  const standby = found.find((status) => isReadyStandby(status) && !status.targetHealth.includes("healthy"));
  if (active === undefined || standby === undefined) return undefined;
  return { active: active.instanceId, standby: standby.instanceId };
}

/** Waits until the pair is whole; an instance that is gone is launched anew, as an Auto Scaling group would. */
export async function settle(stage: Stage): Promise<Pair> {
  const end = performance.now() + settledWithinMilliseconds;
  for (;;) {
    await launchMissing(stage);
    const found = await pair(stage);
    if (found !== undefined) return found;
    if (performance.now() > end)
      throw new Failure({
        code: "drill.pair",
        doing: `waiting for two instances of ${stage.configuration.cluster}`,
        cause: (await statuses(stage))
          .map(({ instanceId, state, boot }) =>
            [instanceId, state?.role ?? boot.said, ...(state?.reasons ?? [])].join(" "),
          )
          .join("; "),
        remedy: "look at `eclair-ami status` and `eclair-ami logs`",
      });
    await sleep(pollMilliseconds);
  }
}

async function launchMissing(stage: Stage): Promise<void> {
  const { facts, imageId, configurationFile, configuration, target } = stage;
  const running = await instances(stage);
  const taken = new Set(running.map(({ Placement }) => Placement?.AvailabilityZone));
  for (const zone of zones) {
    if (taken.has(zone.name)) continue;
    await launch(target, {
      imageId,
      configurationFile,
      template: configuration.cluster,
      name: `${configuration.cluster}-${zone.name}`,
      subnetId: facts.network?.subnetIds[zone.name],
    });
  }
}

async function instances({ target, configuration }: Stage) {
  const { Reservations = [] } = await target.ec2.send(
    new DescribeInstancesCommand({
      Filters: [{ Name: `tag:${clusterTag}`, Values: [configuration.cluster] }],
    }),
  );
  return Reservations.flatMap(({ Instances = [] }) => Instances).filter(
    ({ State }) => State?.Name === "pending" || State?.Name === "running",
  );
}

/** Ends whatever runs of the cluster and is of another image, or all of it. */
export async function clear(stage: Stage, all: boolean): Promise<void> {
  const others = (await instances(stage)).filter(({ ImageId }) => all || ImageId !== stage.imageId);
  const InstanceIds = others.map(({ InstanceId = "" }) => InstanceId);
  if (InstanceIds.length > 0) await stage.target.ec2.send(new TerminateInstancesCommand({ InstanceIds }));
}

export async function balancerAddress({ target, configuration }: Stage): Promise<string> {
  return (await loadBalancerPlace(target, configuration.cluster)).address;
}

export async function databaseAddress(stage: Stage): Promise<string> {
  return await databaseOf(stage).sql("show listen_addresses");
}

/** The lab starts it again. */
export async function killHaproxy({ lab, facts }: Stage): Promise<void> {
  await execa("nsenter", [
    ...amongServices(lab, facts),
    "sh",
    "-c",
    `kill -KILL $(head -n 1 ${haproxyPidFile(lab)})`,
  ]);
}
