import type { EclairReport } from "../contract/reports/instance.ts";
import type { EclairProcesses } from "../eclair/processes.ts";
import type { EclairPoller } from "./eclair-poller.ts";
import type { Standby } from "./standby/standby.ts";

/** The state of the Eclairs of this host. */
export function eclairReport(
  { open, armed, arming }: EclairProcesses,
  { info }: EclairPoller,
  { armBeforeExpiry }: Standby,
): EclairReport {
  const notArmed = arming === undefined ? "no" : "starting";
  return {
    state: open?.unit ?? "stopped",
    pid: open?.pid ?? 0,
    ...(open?.eclairInstanceId !== undefined && { eclairInstanceId: open.eclairInstanceId }),
    ...(open !== undefined && info !== undefined && { info }),
    armed: armed === undefined ? notArmed : "yes",
    armBeforeExpiry,
  };
}
