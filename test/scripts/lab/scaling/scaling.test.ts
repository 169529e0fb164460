import { describe, expect, test } from "vitest";
import type { Group, Member } from "../../../../scripts/lab/scaling/group.ts";
import { transitions } from "../../../../scripts/lab/scaling/group.ts";
import {
  completeHook,
  extendHook,
  newMember,
  planStep,
  startTermination,
  type ObservedState,
} from "../../../../scripts/lab/scaling/plan.ts";

const now = 1_000_000;
const hooks: Group["hooks"] = [
  { name: "in", transition: transitions.launching, heartbeatSeconds: 60, defaultResult: "ABANDON" },
  { name: "out", transition: transitions.terminating, heartbeatSeconds: 30, defaultResult: "CONTINUE" },
];

const group = (members: readonly Member[], more: Partial<Group> = {}): Group => ({
  name: "pair",
  min: 2,
  max: 2,
  desired: 2,
  template: { id: "lt-1", name: "pair", version: "1" },
  subnets: { a: "subnet-a", b: "subnet-b" },
  tags: [],
  hooks,
  suspended: [],
  members: [...members],
  createdAt: "2026-01-01T00:00:00Z",
  ...more,
});
const running = (): ObservedState => "running";
const inService = (id: string, zone: string): Member => ({
  ...newMember(id, zone, "1"),
  state: "InService",
});
const pair = [inService("i-1", "a"), inService("i-2", "b")];

describe("an Auto Scaling group of the lab with unbalanced zones", () => {
  const unbalanced = [inService("i-1", "a"), inService("i-2", "a")];
  const launched = [...unbalanced, newMember("i-3", "b", "1")];
  const isProtected = (member: Member) => ({ ...member, protected: true });

  test("launches beyond its maximum size in the emptier zone, and then terminates in the fuller zone", () => {
    expect(planStep(group(unbalanced), running, now)).toMatchObject({ launch: ["b"], terminate: [] });
    const balancing = planStep(group(launched), running, now).group;
    expect(balancing.members.map(({ state }) => state)).toEqual(["InService", "InService", "Pending:Wait"]);
    const ready = [...unbalanced, inService("i-3", "b")];
    expect(planStep(group(ready), running, now).group.members[0]?.state).toBe("Terminating:Wait");
  });

  test("does not terminate a protected instance", () => {
    const [first, second] = unbalanced;
    if (first === undefined || second === undefined) throw new Error("no members");
    const ready = [isProtected(first), second, inService("i-3", "b")];
    const { members } = planStep(group(ready), running, now).group;
    expect(members.map(({ state }) => state)).toEqual(["InService", "Terminating:Wait", "InService"]);
  });

  test("stays as it is while AZRebalance is suspended", () => {
    expect(planStep(group(unbalanced, { suspended: ["AZRebalance"] }), running, now).launch).toEqual([]);
  });
});

describe("an Auto Scaling group of the lab", () => {
  test("an empty group launches instances evenly in its zones", () => {
    expect(planStep(group([]), running, now).launch).toEqual(["a", "b"]);
    expect(planStep(group([inService("i-1", "a")]), running, now).launch).toEqual(["b"]);
    expect(planStep(group(pair), running, now)).toMatchObject({ launch: [], terminate: [] });
  });

  test("a new instance is in service when its launch hook is completed", () => {
    const start = group([newMember("i-1", "a", "1"), inService("i-2", "b")]);
    expect(planStep(start, () => "pending", now).group.members[0]?.state).toBe("Pending");
    const waiting = planStep(start, running, now).group;
    const [member] = waiting.members;
    expect(member).toMatchObject({ state: "Pending:Wait", waits: [{ hook: "in", until: now + 60_000 }] });
    if (member === undefined) throw new Error("no member");
    expect(completeHook(member, "out", "CONTINUE")).toBeUndefined();
    expect(completeHook(member, "in", "CONTINUE")).toMatchObject({ state: "InService", waits: [] });
    expect(completeHook(member, "in", "ABANDON")).toMatchObject({ state: "Terminating:Proceed" });
  });

  test("a hook that is not completed ends with its default result after its timeout, which a heartbeat restarts", () => {
    const { members } = planStep(
      group([newMember("i-1", "a", "1"), inService("i-2", "b")]),
      running,
      now,
    ).group;
    const late = planStep(group(members), running, now + 60_000);
    expect(late).toMatchObject({ terminate: ["i-1"], launch: ["a"] });
    const [member, other] = members;
    const [hook] = hooks;
    if (member === undefined || other === undefined || hook === undefined) throw new Error("no member");
    const longer = extendHook(member, hook, now + 50_000);
    if (longer === undefined) throw new Error("not extended");
    expect(planStep(group([longer, other]), running, now + 60_000).terminate).toEqual([]);
    expect(planStep(group([longer, other]), running, now + 110_000).terminate).toEqual(["i-1"]);
  });

  test("a terminating instance is replaced at once, and terminated when its hook is completed", () => {
    const [first, second] = pair;
    if (first === undefined || second === undefined) throw new Error("no pair");
    const out = startTermination(first, hooks, now);
    const planned = planStep(group([out, second]), running, now);
    expect(planned).toMatchObject({ launch: ["a"], terminate: [] });
    expect(planned.group.members[0]?.state).toBe("Terminating:Wait");
    const done = completeHook(out, "out", "CONTINUE");
    if (done === undefined) throw new Error("not completed");
    expect(planStep(group([done, second]), running, now).terminate).toEqual(["i-1"]);
    expect(planStep(group([done, second]), running, now).group.members).toHaveLength(2);
  });

  test("an unhealthy or stopped instance is terminated, and an instance that has ended is no longer a member", () => {
    const [first, second] = pair;
    if (first === undefined || second === undefined) throw new Error("no pair");
    const unhealthy = planStep(group([{ ...first, healthy: false }, second]), running, now);
    expect(unhealthy.group.members[0]?.state).toBe("Terminating:Wait");
    const stopped = planStep(group(pair), (id) => (id === "i-1" ? "stopped" : "running"), now);
    expect(stopped.group.members[0]?.state).toBe("Terminating:Wait");
    const ended = planStep(group(pair), (id) => (id === "i-1" ? "ended" : "running"), now);
    expect(ended.group.members).toEqual([second]);
    expect(ended.launch).toEqual(["a"]);
  });

  test("a group that shrinks terminates the oldest version in the zone with the most instances", () => {
    const three = [...pair, { ...inService("i-3", "a"), version: "2" }];
    const planned = planStep(group(three, { hooks: [] }), running, now);
    expect(planned.terminate).toEqual(["i-1"]);
  });
});
