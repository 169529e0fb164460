import type { NodeStatus } from "../status.ts";
import type { Member } from "./group.ts";

/** A member of an Auto Scaling group with its status. */
export type MemberStatus = Member & { readonly status: NodeStatus };

/** By its last report, however old that report is. */
export const isActive = ({ status }: MemberStatus): boolean => status.report?.active === true;

/** Whether a member may be terminated: its Eclair does not start, run or stop. */
export const canTerminate = ({ status: { report } }: MemberStatus): boolean =>
  report?.active !== true && (report?.role === "standby" || report?.role === "waiting");

/**
 * Why a new instance is not a ready standby.
 * @param timeoutMinutes the time that is over, when that is the reason
 */
export function whyNotReady(status: NodeStatus | undefined, timeoutMinutes: number | undefined): string {
  const reason =
    status?.report?.reasons.join("; ") ?? status?.boot.message ?? "the instance sent no report yet";
  return timeoutMinutes === undefined ? reason : `after ${timeoutMinutes} minutes: ${reason}`;
}
