import { DescribeInstancesCommand, EC2Client, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { tags } from "../../bootstrap/contract/tags.ts";
import { launch } from "../cluster/launch.ts";
import { nodeStatuses, type NodeStatus } from "../cluster/status.ts";
import { isReadyStandby } from "../cluster/takeover.ts";
import type { Target } from "../target/target.ts";

export const demoCluster = "demo";
const timeoutMilliseconds = 180_000;

/**
 * Terminates the instances of the demo cluster and launches one instance of an image.
 * @returns its status when it is active, and the seconds since its launch
 */
export async function relaunchDemo(
  target: Target,
  imageId: string,
  configurationFile: string,
): Promise<{ readonly status: NodeStatus; readonly seconds: number }> {
  await terminateAll(target);
  const started = performance.now();
  const { instanceId } = await launch(target, {
    image: { imageId },
    configurationFile,
    launchTemplate: demoCluster,
    name: demoCluster,
  });
  const status = await waitForStatus(target, instanceId, "active", receivesTraffic);
  return { status, seconds: (performance.now() - started) / 1000 };
}

/** Launches a second instance of the demo cluster in another subnet, and waits until it is a ready standby. */
export async function launchStandby(
  target: Target,
  imageId: string,
  configurationFile: string,
  subnetId: string | undefined,
): Promise<NodeStatus> {
  const { instanceId } = await launch(target, {
    image: { imageId },
    configurationFile,
    launchTemplate: demoCluster,
    name: `${demoCluster}-standby`,
    subnetId,
  });
  return await waitForStatus(target, instanceId, "a ready standby", isReadyStandby);
}

const receivesTraffic = ({ report, targetHealth }: NodeStatus) =>
  report?.active === true && targetHealth.includes("healthy");

async function terminateAll(target: Target): Promise<void> {
  const ec2 = target.client(EC2Client);
  const { Reservations } = await ec2.send(
    new DescribeInstancesCommand({ Filters: [{ Name: `tag:${tags.cluster}`, Values: [demoCluster] }] }),
  );
  const ids = (Reservations ?? [])
    .flatMap((reservation) => reservation.Instances ?? [])
    .filter((instance) => instance.State?.Name !== "terminated")
    .map((instance) => instance.InstanceId ?? "");
  if (ids.length > 0) await ec2.send(new TerminateInstancesCommand({ InstanceIds: ids }));
}

async function waitForStatus(
  target: Target,
  instanceId: string,
  description: string,
  isReached: (status: NodeStatus) => boolean,
): Promise<NodeStatus> {
  const deadline = performance.now() + timeoutMilliseconds;
  for (;;) {
    const status = (await nodeStatuses(target)).find((candidate) => candidate.instanceId === instanceId);
    if (status !== undefined && isReached(status)) return status;
    if (performance.now() > deadline || status?.boot.final === true)
      throw new EclairAmiError({
        code: "start.node-not-active",
        operation: `waiting until ${instanceId} is ${description}`,
        message: status?.report?.reasons.join("; ") ?? status?.boot.message ?? "the instance does not exist",
        remedy: `read \`eclair-ami logs ${instanceId}\``,
      });
    await sleep(300);
  }
}
