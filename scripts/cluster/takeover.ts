import * as reports from "../../bootstrap/contract/reports/standby.ts";
import type { NodeStatus } from "./status.ts";

export const isReadyStandby = ({ report }: NodeStatus): boolean =>
  report !== undefined && reports.isReadyStandby(report);

/**
 * Whether a load balancer does not check the instance yet: after its registration, a target is `initial` for minutes, and
 * receives no connections. https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
 */
export const isUncheckedTarget = ({ targetHealth }: NodeStatus): boolean => targetHealth.includes("initial");

/** Seconds since the last report of an instance; undefined when it has sent none. */
export const reportAge = ({ reportedAt }: NodeStatus, now: Date): number | undefined =>
  reportedAt === undefined ? undefined : (now.getTime() - Date.parse(reportedAt)) / 1000;

/**
 * Why an instance would not take over the node now; empty when it would.
 * @param nodeId the node id of the active instance, when there is one
 */
export function takeoverProblems(status: NodeStatus, nodeId: string | undefined, now: Date): string[] {
  const { report } = status;
  const age = reportAge(status, now);
  if (report === undefined || age === undefined) return ["it has sent no report yet"];
  const problems: string[] = [];
  if (age > reports.freshSeconds) problems.push(`its last report is ${Math.round(age)} s old`);
  if (report.role !== "standby") problems.push(`its role is ${report.role}`, ...report.reasons);
  else if (!report.ready) problems.push("it is not ready", ...report.reasons);
  if (!reports.isArmedAsConfigured(report)) problems.push("its Eclair is not armed");
  if (nodeId !== undefined && report.nodeId !== nodeId) problems.push("it has another node id");
  return problems;
}

/** The instances of one cluster that would take over the node if the active instance ended now. */
export function takeoverCandidates(statuses: readonly NodeStatus[], now: Date): NodeStatus[] {
  const active = statuses.find(({ report }) => report?.active === true);
  return statuses.filter(
    (status) => status !== active && takeoverProblems(status, active?.report?.nodeId, now).length === 0,
  );
}
