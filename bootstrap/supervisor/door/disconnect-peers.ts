import { deregisterTargets } from "../../aws/target-groups.ts";
import type { BootedNode } from "../../render/booted-node.ts";
import type { DoorControl } from "./door-control.ts";

/**
 * Deregisters this host, waits until the load balancer sends it no new connections, and closes those of its peers.
 * @param door undefined with `door: off`
 */
export async function disconnectPeers(
  { configuration, identity, aws }: Pick<BootedNode, "configuration" | "identity" | "aws">,
  door: Pick<DoorControl, "drain"> | undefined,
): Promise<void> {
  const { targetGroupArns, failover } = configuration;
  await deregisterTargets(targetGroupArns, identity.instanceId, aws);
  await door?.drain(targetGroupArns.length === 0 ? 0 : failover.drainSeconds);
}
