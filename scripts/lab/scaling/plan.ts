import { isTerminating, transitions, type Group, type Hook, type Member } from "./group.ts";

/** The state of an instance on EC2; `ended` also when EC2 does not know the instance. */
export type ObservedState = "pending" | "running" | "stopped" | "ended";

export type Plan = {
  readonly group: Group;
  /** The availability zones in which to launch an instance. */
  readonly launch: readonly string[];
  /** The instances to terminate. */
  readonly terminate: readonly string[];
};

/**
 * Plans one step of an Auto Scaling group. As on AWS, the group replaces an instance that has ended or is unhealthy, does
 * not count a terminating instance, and launches each new instance in the zone with the fewest instances. Unless the process
 * AZRebalance is suspended, a group with unbalanced zones launches an instance in the emptier zone first, beyond its maximum
 * size, and then terminates one in the fuller zone.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html#AutoScalingBehavior.InstanceUsage
 * @param now milliseconds since 1970
 */
export function planStep(group: Group, stateOf: (instanceId: string) => ObservedState, now: number): Plan {
  const existing = group.members
    .filter(({ instanceId }) => stateOf(instanceId) !== "ended")
    .map((member) => advance(member, group.hooks, stateOf(member.instanceId), now));
  const candidates = existing.filter((member) => !isTerminating(member));
  // A balancing launch must be in service before the group terminates an instance for it.
  const inService = candidates.filter(({ state }) => state === "InService").length;
  const surplus = chooseSurplus(
    candidates,
    Math.max(0, Math.min(candidates.length, inService) - group.desired),
  );
  const members = existing.map((member) =>
    surplus.includes(member) ? startTermination(member, group.hooks, now) : member,
  );
  const remaining = members.filter((member) => !isTerminating(member));
  return {
    group: { ...group, members },
    launch: chooseZones(group, remaining, Math.max(0, wantedCount(group, remaining) - remaining.length)),
    terminate: members
      .filter(({ state }) => state === "Terminating:Proceed")
      .map(({ instanceId }) => instanceId),
  };
}

/** A member that was just launched. */
export function newMember(instanceId: string, zone: string, version: string): Member {
  return { instanceId, zone, version, state: "Pending", healthy: true, protected: false, waits: [] };
}

/** Starts the termination of a member, which waits for the termination hooks. */
export function startTermination(member: Member, hooks: readonly Hook[], now: number): Member {
  if (isTerminating(member)) return member;
  const waits = waitsOf(hooks, transitions.terminating, now);
  return { ...member, state: waits.length === 0 ? "Terminating:Proceed" : "Terminating:Wait", waits };
}

/**
 * Completes a hook of a member.
 * @returns undefined when the member does not wait for the hook
 */
export function completeHook(
  member: Member,
  hook: string,
  result: "CONTINUE" | "ABANDON",
): Member | undefined {
  if (!member.waits.some((wait) => wait.hook === hook)) return undefined;
  if (result === "ABANDON") return { ...member, state: "Terminating:Proceed", waits: [] };
  return proceed({ ...member, waits: member.waits.filter((wait) => wait.hook !== hook) });
}

/**
 * Restarts the timeout of a hook.
 * @returns undefined when the member does not wait for the hook
 */
export function extendHook(member: Member, hook: Hook, now: number): Member | undefined {
  if (!member.waits.some((wait) => wait.hook === hook.name)) return undefined;
  const until = now + hook.heartbeatSeconds * 1000;
  return {
    ...member,
    waits: member.waits.map((wait) => (wait.hook === hook.name ? { ...wait, until } : wait)),
  };
}

function advance(member: Member, hooks: readonly Hook[], state: ObservedState, now: number): Member {
  const expired = member.waits.find(({ until }) => until <= now);
  if (expired !== undefined) {
    const result = hooks.find(({ name }) => name === expired.hook)?.defaultResult ?? "ABANDON";
    return completeHook(member, expired.hook, result) ?? member;
  }
  if (!isTerminating(member) && (!member.healthy || state === "stopped"))
    return startTermination(member, hooks, now);
  if (member.state !== "Pending" || state !== "running") return member;
  const waits = waitsOf(hooks, transitions.launching, now);
  return proceed({ ...member, state: "Pending:Wait", waits });
}

function proceed(member: Member): Member {
  if (member.waits.length > 0) return member;
  return { ...member, state: member.state === "Terminating:Wait" ? "Terminating:Proceed" : "InService" };
}

function waitsOf(hooks: readonly Hook[], transition: Hook["transition"], now: number): Member["waits"] {
  return hooks
    .filter((hook) => hook.transition === transition)
    .map(({ name, heartbeatSeconds }) => ({ hook: name, until: now + heartbeatSeconds * 1000 }));
}

/** AWS permits ten percent, and at least one instance, beyond the maximum size while it balances the zones. */
const beyondMaximum = (max: number) => max + Math.max(1, Math.floor(max / 10));

/** The number of instances that the group wants now: one more while it balances its zones. */
function wantedCount(group: Group, members: readonly Member[]): number {
  const isComplete =
    members.length === group.desired &&
    members.every(({ state, healthy }) => state === "InService" && healthy);
  if (!isComplete || group.suspended.includes("AZRebalance")) return group.desired;
  const counts = Object.keys(group.subnets).map(
    (zone) => members.filter((member) => member.zone === zone).length,
  );
  const isBalanced = Math.max(...counts) - Math.min(...counts) <= 1;
  return isBalanced ? group.desired : Math.min(group.desired + 1, beyondMaximum(group.max));
}

/**
 * A part of AWS' default termination policy: the oldest template version in the zone with the most instances. Protected
 * instances stay.
 */
function chooseSurplus(members: readonly Member[], count: number): Member[] {
  const chosen: Member[] = [];
  while (chosen.length < count) {
    const rest = members.filter((member) => !chosen.includes(member));
    const inZone = (zone: string) => rest.filter((member) => member.zone === zone).length;
    const [first] = rest
      .filter((member) => !member.protected)
      .toSorted((a, b) => inZone(b.zone) - inZone(a.zone) || Number(a.version) - Number(b.version));
    if (first === undefined) return chosen;
    chosen.push(first);
  }
  return chosen;
}

function chooseZones(group: Group, members: readonly Member[], count: number): string[] {
  const zones = Object.keys(group.subnets);
  const taken = members.map(({ zone }) => zone);
  const chosen: string[] = [];
  while (chosen.length < count) {
    const inZone = (zone: string) => taken.filter((candidate) => candidate === zone).length;
    const [emptiest] = zones.toSorted((a, b) => inZone(a) - inZone(b) || a.localeCompare(b));
    if (emptiest === undefined) return chosen;
    chosen.push(emptiest);
    taken.push(emptiest);
  }
  return chosen;
}
