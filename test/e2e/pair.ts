import { lastHolder, type Pair } from "../../scripts/lab/cluster/failover.ts";
import { isReadyStandby } from "../../scripts/nodes/status.ts";
import { eventually } from "./cli.ts";
import type { Cluster } from "./node.ts";

/** The active one of a node's instances and a ready standby, when there are both. */
export async function pairOf(nodes: Cluster, ids: readonly string[]): Promise<Pair> {
  return await eventually("an active one and a ready standby", async () => {
    const found = await Promise.all(ids.map((id) => nodes.status(id)));
    const holder = await lastHolder(nodes.sql);
    const active = found.find((one) => one?.state?.active === true && one.address === holder)?.instanceId;
    const standby = found.find((one) => one !== undefined && isReadyStandby(one))?.instanceId;
    return active === undefined || standby === undefined ? undefined : { active, standby };
  });
}
