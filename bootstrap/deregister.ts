import { deregisterTargets } from "./aws/target-groups.ts";
import { logLine } from "./log.ts";
import { readNodeRecord } from "./node-record.ts";
import { run } from "./os/run.ts";

/** Leaves the target groups when the instance leaves; a service that is only stopped changes nothing. */
export async function deregister(): Promise<void> {
  const state = (await run("systemctl", ["is-system-running"], { allowFailure: true })).trim();
  if (state !== "stopping") return logLine("deregister", { skipped: `the instance is ${state}` });
  const { configuration, identity, aws } = readNodeRecord();
  await deregisterTargets(configuration.targetGroups, identity.instanceId, aws);
  logLine("deregister", { targetGroups: configuration.targetGroups.length });
}
