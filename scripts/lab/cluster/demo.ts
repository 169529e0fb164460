import { DescribeInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { DescribeLoadBalancersCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { Failure } from "../../core/failure.ts";
import { services } from "../addresses.ts";
import type { Target } from "../../target/target.ts";
import { launch } from "../../nodes/launch.ts";
import { isReadyStandby, nodeStatuses, type NodeStatus } from "../../nodes/status.ts";
import { clusterTag } from "../../../bootstrap/aws/tags.ts";

export const demoCluster = "demo";
const upWithinMilliseconds = 180_000;

/** The demo cluster of a lab, re-imaged: its instances terminated, one launched from an image, and waited for. */
export async function reimageDemo(
  target: Target,
  imageId: string,
  configurationFile: string,
): Promise<{ status: NodeStatus; seconds: number }> {
  await terminateAll(target);
  const started = performance.now();
  const wanted = { imageId, configurationFile, template: demoCluster, name: demoCluster };
  const { instanceId } = await launch(target, wanted);
  const status = await until(target, instanceId, "become the node", isServing);
  return { status, seconds: (performance.now() - started) / 1000 };
}

/** A second instance of the demo cluster, in another zone, as a standby that is armed. */
export async function launchStandby(
  target: Target,
  imageId: string,
  configurationFile: string,
  subnetId: string | undefined,
): Promise<NodeStatus> {
  const name = `${demoCluster}-standby`;
  const wanted = { imageId, configurationFile, template: demoCluster, name, subnetId };
  const { instanceId } = await launch(target, wanted);
  return await until(target, instanceId, "be a ready standby", isReadyStandby);
}

/** The active one, to which its load balancer sends traffic. */
const isServing = ({ state, targetHealth }: NodeStatus) =>
  state?.active === true && targetHealth.includes("healthy");

async function terminateAll(target: Target): Promise<void> {
  const { Reservations } = await target.ec2.send(
    new DescribeInstancesCommand({ Filters: [{ Name: `tag:${clusterTag}`, Values: [demoCluster] }] }),
  );
  const ids = (Reservations ?? [])
    .flatMap((reservation) => reservation.Instances ?? [])
    .filter((instance) => instance.State?.Name !== "terminated")
    .map((instance) => instance.InstanceId ?? "");
  if (ids.length > 0) await target.ec2.send(new TerminateInstancesCommand({ InstanceIds: ids }));
}

async function until(
  target: Target,
  instanceId: string,
  what: string,
  isSo: (status: NodeStatus) => boolean,
): Promise<NodeStatus> {
  const end = performance.now() + upWithinMilliseconds;
  for (;;) {
    const status = (await nodeStatuses(target)).find((candidate) => candidate.instanceId === instanceId);
    if (status !== undefined && isSo(status)) return status;
    if (performance.now() > end || status?.boot.gaveUp === true)
      throw new Failure({
        code: "node.up",
        doing: `waiting for ${instanceId} to ${what}`,
        cause: status?.state?.reasons.join("; ") ?? status?.boot.said ?? "it is gone",
        remedy: `look at \`eclair-ami logs ${instanceId}\``,
      });
    await sleep(300);
  }
}

/** The address of a load balancer, and whether a TCP connection through it to the Lightning port comes about. */
export async function throughLoadBalancer(
  target: Target,
  name: string,
): Promise<{ host: string; connects: boolean }> {
  const { host, address } = await loadBalancerPlace(target, name);
  const [reach = "", ...words] = target.reach;
  const { exitCode } = await execa(
    reach,
    [...words, "timeout", "3", "bash", "-c", `exec 3<>/dev/tcp/$1/9735`, "bash", address],
    { reject: false },
  );
  return { host: `${host}:9735`, connects: exitCode === 0 };
}

/** A load balancer's name, and its address. */
export async function loadBalancerPlace(
  target: Target,
  name: string,
): Promise<{ host: string; address: string }> {
  const { LoadBalancers } = await target.elb.send(new DescribeLoadBalancersCommand({ Names: [name] }));
  const host = LoadBalancers?.[0]?.DNSName ?? "";
  return { host, address: await addressIn(target, host) };
}

/** The lab's names are known to the lab's own resolver alone. */
async function addressIn(target: Target, host: string): Promise<string> {
  const [reach = "", ...words] = target.reach;
  const { stdout } = await execa(reach, [...words, ...resolveCommand(host)]);
  return stdout.trim();
}

const ask = `const { Resolver } = require("node:dns"); const r = new Resolver(); r.setServers([process.argv[1]]); r.resolve4(process.argv[2], (e, a) => { if (e) throw e; console.log(a[0]); });`;

function resolveCommand(host: string): string[] {
  return [process.execPath, "--eval", ask, services.dns, host];
}
