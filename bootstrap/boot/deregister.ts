import { deregisterTargets } from "../aws/target-groups.ts";
import { logEvent } from "../os/log.ts";
import { run } from "../os/run.ts";
import { readBootedNode } from "../render/booted-node.ts";

/** Removes the instance from its target groups when the instance shuts down. A stopped service changes nothing. */
export async function deregister(): Promise<void> {
  const systemState = (await run("systemctl", ["is-system-running"], { allowFailure: true })).trim();
  if (systemState !== "stopping") return logEvent("targets.deregister-skipped", { systemState });
  // An instance that reboots serves again soon, and a new registration takes minutes until the first health check.
  if (await isRebooting()) return logEvent("targets.deregister-skipped", { systemState: "rebooting" });
  const { configuration, identity, aws } = readBootedNode();
  await deregisterTargets(configuration.targetGroupArns, identity.instanceId, aws);
  logEvent("targets.deregistered", { targetGroups: configuration.targetGroupArns.length });
}

/** Whether the shutdown of systemd ends with a reboot. */
async function isRebooting(): Promise<boolean> {
  const jobs = await run("systemctl", ["list-jobs", "--no-legend", "--plain"], { allowFailure: true });
  return /\b(reboot|kexec|soft-reboot)\.target\b/.test(jobs);
}
