import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import type { ClusterTable } from "../../bootstrap/contract/record/table.ts";
import type { Switchover } from "../../bootstrap/contract/requests/switchover.ts";
import type { NodeStatus } from "./status.ts";
import { isUncheckedTarget, takeoverProblems } from "./takeover.ts";

const lifetimeSeconds = 60;
const pollMilliseconds = 200;

/** The instance that stops, and the instance that takes over. */
export type Participants = { readonly from: NodeStatus; readonly to: NodeStatus };

/**
 * @param to the id or name of an instance; without it, any ready standby
 * @param force also accepts a standby that is not ready
 * @throws EclairAmiError `switchover.refused`
 */
export function chooseStandby(
  statuses: readonly NodeStatus[],
  { to, force, now }: { readonly to: string | undefined; readonly force: boolean; readonly now: Date },
): Participants {
  const from = statuses.find(({ report }) => report?.active === true);
  if (from === undefined)
    throw refused(
      "no instance of this cluster is active",
      "wait: a ready standby takes a free lease without a switchover; docs/incidents.md describes what to do when none does",
    );
  const others = statuses.filter(
    (status) => status !== from && (to === undefined || status.instanceId === to || status.name === to),
  );
  if (others.length === 0)
    throw refused(
      to === undefined ? "the cluster has no other instance" : `the cluster has no other instance ${to}`,
      "launch a second instance from the same configuration",
    );
  const problems = (status: NodeStatus) => [
    ...takeoverProblems(status, from.report?.nodeId, now),
    ...(isUncheckedTarget(status) ? ["a load balancer does not check it yet (its target is initial)"] : []),
  ];
  const ready = others.find((status) => problems(status).length === 0);
  const [first] = others;
  if (ready !== undefined) return { from, to: ready };
  if (force && first !== undefined) return { from, to: first };
  const reasons = others.map(
    (status) => `${status.name} (${status.instanceId}): ${problems(status).join("; ")}`,
  );
  throw refused(
    reasons.join("\n"),
    "wait until the standby is ready, or pass --force and accept a longer outage",
  );
}

function refused(message: string, remedy: string): EclairAmiError {
  return new EclairAmiError({
    code: "switchover.refused",
    operation: "choosing the instance that takes over",
    message,
    remedy,
  });
}

/** Milliseconds from the stop of the previous Eclair to the API of the next, by the clocks of the two instances. */
export const outageOf = ({ servingAt = "", stoppedAt = "" }: Switchover): number =>
  Date.parse(servingAt) - Date.parse(stoppedAt);

/** Requests a switchover and follows it to its end. */
export async function switchOver(
  table: ClusterTable,
  { from, to }: Participants,
  requestedBy: string,
  onStep: (step: Switchover["step"]) => void,
): Promise<Switchover> {
  const now = new Date();
  const expiresAt = new Date(now.getTime() + lifetimeSeconds * 1000).toISOString();
  const request: Switchover = {
    id: randomUUID(),
    fromInstanceId: from.instanceId,
    toInstanceId: to.instanceId,
    requestedBy,
    expiresAt,
    step: "requested",
  };
  if (!(await table.switchovers.put(request, now)))
    throw new EclairAmiError({
      code: "switchover.in-progress",
      operation: "requesting a switchover",
      message: "another switchover of this cluster is in progress",
      remedy: `wait until that switchover ends: at most ${lifetimeSeconds} s`,
    });
  let last = request.step;
  while (Date.now() < Date.parse(expiresAt)) {
    const current = await table.switchovers.read();
    if (current?.id !== request.id) break;
    if (current.step !== last) onStep(current.step);
    last = current.step;
    if (current.step === "serving") return current;
    if (current.step === "reverted")
      throw new EclairAmiError({
        code: "switchover.reverted",
        operation: `switching over to ${to.instanceId}`,
        message: `${to.instanceId} did not take over in time`,
        remedy: `read \`eclair-ami logs ${to.instanceId}\``,
        mayHaveChanged: `${from.instanceId} is active again`,
      });
    await sleep(pollMilliseconds);
  }
  throw new EclairAmiError({
    code: "switchover.timeout",
    operation: `switching over from ${from.instanceId} to ${to.instanceId}`,
    message: `the switchover reached the step "${last}" in ${lifetimeSeconds} s`,
    remedy: "check `eclair-ami status`: a ready standby takes a free lease without a switchover",
  });
}
