import { deregisterTargets } from "../aws/target-groups.ts";
import { logEvent } from "../os/log.ts";
import { run } from "../os/run.ts";
import { readBootedNode } from "../render/booted-node.ts";

/** Removes the instance from its target groups when the instance shuts down. A stopped service changes nothing. */
export async function deregister(): Promise<void> {
  const systemState = (await run("systemctl", ["is-system-running"], { allowFailure: true })).trim();
  if (systemState !== "stopping") return logEvent("targets.deregister-skipped", { systemState });
  const { configuration, identity, aws } = readBootedNode();
  await deregisterTargets(configuration.targetGroupArns, identity.instanceId, aws);
  logEvent("targets.deregistered", { targetGroups: configuration.targetGroupArns.length });
}
