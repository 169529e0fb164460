import { lastHolderAddress, type Pair } from "../../scripts/lab-cluster/failover.ts";
import { isReadyStandby, isUncheckedTarget } from "../../scripts/cluster/takeover.ts";
import { eventually } from "./cli.ts";
import type { Cluster } from "./node.ts";

/** Waits until one instance of a node is active and another instance is a ready standby, to which `switchover` can hand over. */
export async function pairOf(nodes: Cluster, ids: readonly string[]): Promise<Pair> {
  return await eventually("an active instance and a ready standby", async () => {
    const statuses = (await nodes.statuses()).filter(({ instanceId }) => ids.includes(instanceId));
    const holder = await lastHolderAddress(nodes.sql);
    const active = statuses.find(
      ({ report, privateIp }) => report?.active === true && privateIp === holder,
    )?.instanceId;
    const standby = statuses.find(
      (status) => isReadyStandby(status) && !isUncheckedTarget(status),
    )?.instanceId;
    return active === undefined || standby === undefined ? undefined : { active, standby };
  });
}
