import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { nodeStatuses, type NodeStatus } from "../cluster/status.ts";
import { isReadyStandby } from "../cluster/takeover.ts";
import type { Target } from "../target/target.ts";

export const demoCluster = "demo";
const timeoutMilliseconds = 180_000;

/** The active instance of the demo cluster when it receives traffic. */
export const waitForActive = (target: Target): Promise<NodeStatus> =>
  waitForStatus(
    target,
    "the active instance",
    ({ report, targetHealth }) => report?.active === true && targetHealth.includes("healthy"),
  );

export const waitForStandby = (target: Target): Promise<NodeStatus> =>
  waitForStatus(target, "a ready standby", isReadyStandby);

async function waitForStatus(
  target: Target,
  description: string,
  isReached: (status: NodeStatus) => boolean,
): Promise<NodeStatus> {
  const deadline = performance.now() + timeoutMilliseconds;
  for (;;) {
    const statuses = await nodeStatuses(target, { cluster: demoCluster });
    const found = statuses.find(isReached);
    if (found !== undefined) return found;
    const failed = statuses.find(({ boot }) => boot.final);
    if (performance.now() > deadline || failed !== undefined) {
      const reasons = statuses.flatMap(({ instanceId, report, boot }) =>
        [boot.message, ...(report?.reasons ?? [])].map((reason) => `${instanceId}: ${reason}`),
      );
      throw new EclairAmiError({
        code: "start.node-not-active",
        operation: `waiting for ${description} of ${demoCluster}`,
        message: reasons.length === 0 ? "the cluster has no instance" : reasons.join("; "),
        remedy: "read `eclair-ami status` and `eclair-ami logs INSTANCE`",
      });
    }
    await sleep(300);
  }
}
