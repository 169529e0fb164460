import type { InstanceReport } from "./instance.ts";

/** An instance reports at least every ten seconds. An older report may no longer be true. */
export const freshSeconds = 30;

/** Whether Eclair is armed, or its configuration arms an Eclair only shortly before the lease expires. */
export const isArmedAsConfigured = ({ eclair }: Pick<InstanceReport, "eclair">): boolean =>
  eclair.armed === "yes" || eclair.armBeforeExpiry;

/** Whether an instance that sent this report can take over the node at once. */
export const isReadyStandby = (report: InstanceReport): boolean =>
  report.role === "standby" && report.ready && isArmedAsConfigured(report);
