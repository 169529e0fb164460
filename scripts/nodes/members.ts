import type { Member } from "./group.ts";
import type { NodeStatus } from "./status.ts";

/** A member of an Auto Scaling group and how it stands. */
export type Seen = Member & { readonly status: NodeStatus };

/** By what it told last, however long ago. */
export const isActive = ({ status }: Seen): boolean => status.state?.active === true;

/** A host that takes over, stops or is in trouble is left alone until it is clear what becomes of it. */
export const mayEnd = ({ status: { state } }: Seen): boolean =>
  state?.active !== true && (state?.role === "standby" || state?.role === "waiting");

/** Why a new instance is no ready standby, after so many minutes where it was late. */
export function whyNotReady(status: NodeStatus | undefined, withinMinutes: number | undefined): string {
  const said = status?.state?.reasons.join("; ") ?? status?.boot.said ?? "it has said nothing yet";
  return withinMinutes === undefined ? said : `after ${withinMinutes} minutes: ${said}`;
}
