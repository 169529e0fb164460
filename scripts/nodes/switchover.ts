import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Switchover } from "../../bootstrap/record/switchover.ts";
import type { ClusterTable } from "../../bootstrap/record/table.ts";
import { Failure } from "../core/failure.ts";
import { freshSeconds, isAsArmedAsWanted, type NodeStatus } from "./status.ts";

const withinSeconds = 60;
const pollMilliseconds = 200;

/** Who is to hand over, and who is to take over. */
export type Hand = { readonly from: NodeStatus; readonly to: NodeStatus };

/**
 * @param to an instance's id or name; any ready one otherwise
 * @param force takes a standby that is not ready
 */
export function chooseStandby(
  statuses: readonly NodeStatus[],
  { to, force, now }: { readonly to: string | undefined; readonly force: boolean; readonly now: Date },
): Hand {
  const from = statuses.find(({ state }) => state?.active === true);
  if (from === undefined)
    throw refused("no instance of this cluster is active", "a free lease is taken by itself");
  const others = statuses.filter(
    (one) => one !== from && (to === undefined || one.instanceId === to || one.name === to),
  );
  if (others.length === 0)
    throw refused(
      to === undefined ? "there is no other instance" : `there is no other instance ${to}`,
      "launch a second instance from the same configuration",
    );
  const ready = others.find((one) => notReady(one, from, now).length === 0);
  const [first] = others;
  if (ready !== undefined) return { from, to: ready };
  if (force && first !== undefined) return { from, to: first };
  const reasons = others.map(
    (one) => `${one.name} (${one.instanceId}): ${notReady(one, from, now).join("; ")}`,
  );
  throw refused(reasons.join("\n"), "wait until it is ready, or pass --force and risk a longer outage");
}

function notReady({ state, toldAt }: NodeStatus, from: NodeStatus, now: Date): string[] {
  if (state === undefined || toldAt === undefined) return ["it has told nothing yet"];
  const reasons: string[] = [];
  const silent = (now.getTime() - Date.parse(toldAt)) / 1000;
  if (silent > freshSeconds) reasons.push(`silent for ${Math.round(silent)} s`);
  if (state.role !== "standby") reasons.push(`its role is ${state.role}`, ...state.reasons);
  if (!isAsArmedAsWanted(state)) reasons.push("its Eclair is not armed");
  if (state.nodeId !== from.state?.nodeId) reasons.push("it is another node");
  return reasons;
}

function refused(cause: string, remedy: string): Failure {
  return new Failure({ code: "switchover.refused", doing: "choosing who takes over", cause, remedy });
}

/** Milliseconds from the end of one to the other's API, by their own clocks. */
export const outageOf = ({ servingAt = "", stoppedAt = "" }: Switchover): number =>
  Date.parse(servingAt) - Date.parse(stoppedAt);

/** Asks for the switchover and follows it to its end. */
export async function switchOver(
  table: ClusterTable,
  { from, to }: Hand,
  by: string,
  tell: (step: Switchover["step"]) => void,
): Promise<Switchover> {
  const now = new Date();
  const until = new Date(now.getTime() + withinSeconds * 1000).toISOString();
  const names = { from: from.instanceId, to: to.instanceId };
  const request: Switchover = { id: randomUUID(), ...names, by, until, step: "asked" };
  if (!(await table.askSwitchover(request, now)))
    throw new Failure({
      code: "switchover.busy",
      doing: "asking for a switchover",
      cause: "another one goes on",
      remedy: `wait until it has ended: ${withinSeconds} s at most`,
    });
  let last = request.step;
  while (Date.now() < Date.parse(until)) {
    const seen = await table.switchover();
    if (seen?.id !== request.id) break;
    if (seen.step !== last) tell(seen.step);
    last = seen.step;
    if (seen.step === "serving") return seen;
    if (seen.step === "back")
      throw new Failure({
        code: "switchover.back",
        doing: `handing over to ${to.instanceId}`,
        cause: "it did not take over in time",
        remedy: `look at \`eclair-ami logs ${to.instanceId}\``,
        changed: `${from.instanceId} is active again`,
      });
    await sleep(pollMilliseconds);
  }
  throw new Failure({
    code: "switchover.silent",
    doing: `handing over from ${from.instanceId} to ${to.instanceId}`,
    cause: `it came as far as "${last}" in ${withinSeconds} s`,
    remedy: "look at `eclair-ami status`: an instance that is ready takes a free lease by itself",
  });
}
