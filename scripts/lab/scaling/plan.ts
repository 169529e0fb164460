import { isLeaving, transitions, type Group, type Hook, type Member } from "./group.ts";

/** What EC2 says of an instance. */
export type Seen = "pending" | "running" | "stopped" | "ended";

export type Plan = {
  readonly group: Group;
  /** Zones in which an instance is to be launched. */
  readonly launch: readonly string[];
  /** Instances that are to be terminated. */
  readonly terminate: readonly string[];
};

/**
 * One step of an Auto Scaling group, after AWS' documentation: an instance that has ended or is unhealthy is replaced,
 * one that leaves no longer counts, and each new one goes to the zone with the fewest.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
 * @param now milliseconds since 1970
 */
export function plan(group: Group, seen: (instanceId: string) => Seen, now: number): Plan {
  const left = group.members
    .filter(({ instanceId }) => seen(instanceId) !== "ended")
    .map((member) => step(member, group.hooks, seen(member.instanceId), now));
  const staying = left.filter((member) => !isLeaving(member));
  const surplus = leastWanted(staying, Math.max(0, staying.length - group.desired));
  const members = left.map((member) =>
    surplus.includes(member) ? leaving(member, group.hooks, now) : member,
  );
  const stay = members.filter((member) => !isLeaving(member));
  return {
    group: { ...group, members },
    launch: zonesFor(group, stay, Math.max(0, group.desired - stay.length)),
    terminate: members
      .filter(({ state }) => state === "Terminating:Proceed")
      .map(({ instanceId }) => instanceId),
  };
}

/** A member as soon as it is launched. */
export function launched(instanceId: string, zone: string, version: string): Member {
  return { instanceId, zone, version, state: "Pending", healthy: true, waits: [] };
}

/** A member on its way out; the hooks of an instance's end are waited for. */
export function leaving(member: Member, hooks: readonly Hook[], now: number): Member {
  if (isLeaving(member)) return member;
  const waits = waitsOf(hooks, transitions.terminating, now);
  return { ...member, state: waits.length === 0 ? "Terminating:Proceed" : "Terminating:Wait", waits };
}

/** A member one of whose hooks was completed; undefined when it waits for none of that name. */
export function completed(member: Member, hook: string, result: "CONTINUE" | "ABANDON"): Member | undefined {
  if (!member.waits.some((wait) => wait.hook === hook)) return undefined;
  if (result === "ABANDON") return { ...member, state: "Terminating:Proceed", waits: [] };
  return proceeded({ ...member, waits: member.waits.filter((wait) => wait.hook !== hook) });
}

/** A member that waits for a hook for longer; undefined when it waits for none of that name. */
export function extended(member: Member, hook: Hook, now: number): Member | undefined {
  if (!member.waits.some((wait) => wait.hook === hook.name)) return undefined;
  const until = now + hook.heartbeatSeconds * 1000;
  return {
    ...member,
    waits: member.waits.map((wait) => (wait.hook === hook.name ? { ...wait, until } : wait)),
  };
}

function step(member: Member, hooks: readonly Hook[], seen: Seen, now: number): Member {
  const over = member.waits.find(({ until }) => until <= now);
  if (over !== undefined) {
    const result = hooks.find(({ name }) => name === over.hook)?.defaultResult ?? "ABANDON";
    return completed(member, over.hook, result) ?? member;
  }
  if (!isLeaving(member) && (!member.healthy || seen === "stopped")) return leaving(member, hooks, now);
  if (member.state !== "Pending" || seen !== "running") return member;
  const waits = waitsOf(hooks, transitions.launching, now);
  return proceeded({ ...member, state: "Pending:Wait", waits });
}

function proceeded(member: Member): Member {
  if (member.waits.length > 0) return member;
  return { ...member, state: member.state === "Terminating:Wait" ? "Terminating:Proceed" : "InService" };
}

function waitsOf(hooks: readonly Hook[], transition: Hook["transition"], now: number): Member["waits"] {
  return hooks
    .filter((hook) => hook.transition === transition)
    .map(({ name, heartbeatSeconds }) => ({ hook: name, until: now + heartbeatSeconds * 1000 }));
}

/** AWS' default policy in short: of the fullest zone, the one with the oldest template version. */
function leastWanted(members: readonly Member[], count: number): Member[] {
  const chosen: Member[] = [];
  while (chosen.length < count) {
    const rest = members.filter((member) => !chosen.includes(member));
    const inZone = (zone: string) => rest.filter((member) => member.zone === zone).length;
    const [first] = rest.toSorted(
      (a, b) => inZone(b.zone) - inZone(a.zone) || Number(a.version) - Number(b.version),
    );
    if (first === undefined) return chosen;
    chosen.push(first);
  }
  return chosen;
}

function zonesFor(group: Group, members: readonly Member[], count: number): string[] {
  const zones = Object.keys(group.subnets);
  const taken = members.map(({ zone }) => zone);
  const chosen: string[] = [];
  while (chosen.length < count) {
    const inZone = (zone: string) => taken.filter((one) => one === zone).length;
    const [emptiest] = zones.toSorted((a, b) => inZone(a) - inZone(b) || a.localeCompare(b));
    if (emptiest === undefined) return chosen;
    chosen.push(emptiest);
    taken.push(emptiest);
  }
  return chosen;
}
