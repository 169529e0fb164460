import { DescribeInstancesCommand, EC2Client, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { tags } from "../../bootstrap/contract/tags.ts";
import { singleTemplateName } from "../../infra/cluster/template-names.ts";
import { launch } from "../cluster/launch.ts";
import { isReadyStandby } from "../cluster/takeover.ts";
import { lastHolderAddress, type Pair } from "../lab-cluster/failover.ts";
import { nodeSubnets } from "../lab-cluster/subnets.ts";
import { databaseOf, readStatuses, type DrillEnvironment } from "./environment.ts";

const readyTimeoutMilliseconds = 180_000;
const pollMilliseconds = 250;

/**
 * Launches the missing instances of the pair, as an Auto Scaling group would, and waits until one instance is
 * active and the other one is a ready standby.
 */
export async function restorePair(environment: DrillEnvironment): Promise<Pair> {
  const end = performance.now() + readyTimeoutMilliseconds;
  for (;;) {
    await launchMissingInstances(environment);
    const pair = await findPair(environment);
    if (pair !== undefined) return pair;
    if (performance.now() > end) throw await notReady(environment);
    await sleep(pollMilliseconds);
  }
}

/** The active instance and its ready standby, when the load balancer sends connections to both. */
async function findPair(environment: DrillEnvironment): Promise<Pair | undefined> {
  const statuses = await readStatuses(environment);
  const holderAddress = await lastHolderAddress((text) => databaseOf(environment).sql(text));
  const active = statuses.find(
    ({ privateIp, report, targetHealth }) =>
      report?.active === true && privateIp === holderAddress && targetHealth.includes("healthy"),
  );
  const standby = statuses.find(
    (status) => isReadyStandby(status) && status.targetHealth.includes("healthy"),
  );
  if (active === undefined || standby === undefined) return undefined;
  return { active: active.instanceId, standby: standby.instanceId };
}

async function notReady(environment: DrillEnvironment): Promise<EclairAmiError> {
  const statuses = await readStatuses(environment);
  return new EclairAmiError({
    code: "drill.pair-not-ready",
    operation: `waiting for an active instance and a ready standby of ${environment.configuration.cluster}`,
    message: statuses
      .map(({ instanceId, report, boot }) =>
        [instanceId, report?.role ?? boot.message, ...(report?.reasons ?? [])].join(" "),
      )
      .join("; "),
    remedy: "read `eclair-ami status` and `eclair-ami logs`",
  });
}

/** Launches an instance in each zone without one. */
export async function launchMissingInstances(environment: DrillEnvironment): Promise<void> {
  const { imageId, configurationFile, configuration, target } = environment;
  const running = await describeInstances(environment);
  const usedZones = new Set(running.map(({ Placement }) => Placement?.AvailabilityZone));
  for (const [zone, subnetId] of await nodeSubnets(target, configuration.cluster)) {
    if (usedZones.has(zone)) continue;
    await launch(target, {
      image: { imageId },
      configurationFile,
      launchTemplate: singleTemplateName(configuration.cluster),
      name: `${configuration.cluster}-${zone}`,
      subnetId,
    });
  }
}

async function describeInstances({ target, configuration }: DrillEnvironment) {
  const { Reservations = [] } = await target.client(EC2Client).send(
    new DescribeInstancesCommand({
      Filters: [{ Name: `tag:${tags.cluster}`, Values: [configuration.cluster] }],
    }),
  );
  return Reservations.flatMap(({ Instances = [] }) => Instances).filter(
    ({ State }) => State?.Name === "pending" || State?.Name === "running",
  );
}

/** Terminates the instances that were launched with another list of bitcoinds. */
export async function terminateOtherConfigurations(environment: DrillEnvironment): Promise<void> {
  const expected = environment.remotes === undefined ? 1 : 3;
  for (const { instanceId, report } of await readStatuses(environment))
    if (report?.bitcoinds !== undefined && report.bitcoinds.length !== expected)
      await terminateInstance(environment, instanceId);
}

/** Terminates the instances of the cluster that run another image, or all instances. */
export async function terminateInstances(
  environment: DrillEnvironment,
  which: "other-images" | "all",
): Promise<void> {
  const instances = await describeInstances(environment);
  for (const { ImageId, InstanceId = "" } of instances)
    if (which === "all" || ImageId !== environment.imageId) await terminateInstance(environment, InstanceId);
}

export async function terminateInstance({ target }: DrillEnvironment, instanceId: string): Promise<void> {
  await target.client(EC2Client).send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
}
