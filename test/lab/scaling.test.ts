import { describe, expect, test } from "vitest";
import type { Group, Member } from "../../scripts/lab/scaling/group.ts";
import { transitions } from "../../scripts/lab/scaling/group.ts";
import { completed, extended, launched, leaving, plan, type Seen } from "../../scripts/lab/scaling/plan.ts";

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
  members: [...members],
  createdAt: "2026-01-01T00:00:00Z",
  ...more,
});
const running = (): Seen => "running";
const inService = (id: string, zone: string): Member => ({
  ...launched(id, zone, "1"),
  state: "InService",
});
const pair = [inService("i-1", "a"), inService("i-2", "b")];

describe("an Auto Scaling group of the lab", () => {
  test("an empty one fills its zones evenly", () => {
    expect(plan(group([]), running, now).launch).toEqual(["a", "b"]);
    expect(plan(group([inService("i-1", "a")]), running, now).launch).toEqual(["b"]);
    expect(plan(group(pair), running, now)).toMatchObject({ launch: [], terminate: [] });
  });

  test("a new instance runs, waits for its hook, and is in service when that is completed", () => {
    const start = group([launched("i-1", "a", "1"), inService("i-2", "b")]);
    expect(plan(start, () => "pending", now).group.members[0]?.state).toBe("Pending");
    const waiting = plan(start, running, now).group;
    const [member] = waiting.members;
    expect(member).toMatchObject({ state: "Pending:Wait", waits: [{ hook: "in", until: now + 60_000 }] });
    if (member === undefined) throw new Error("no member");
    expect(completed(member, "out", "CONTINUE")).toBeUndefined();
    expect(completed(member, "in", "CONTINUE")).toMatchObject({ state: "InService", waits: [] });
    expect(completed(member, "in", "ABANDON")).toMatchObject({ state: "Terminating:Proceed" });
  });

  test("a hook that nobody completes ends with its default, later after a heartbeat", () => {
    const { members } = plan(group([launched("i-1", "a", "1"), inService("i-2", "b")]), running, now).group;
    const late = plan(group(members), running, now + 60_000);
    expect(late).toMatchObject({ terminate: ["i-1"], launch: ["a"] });
    const [member, other] = members;
    const [hook] = hooks;
    if (member === undefined || other === undefined || hook === undefined) throw new Error("no member");
    const longer = extended(member, hook, now + 50_000);
    if (longer === undefined) throw new Error("not extended");
    expect(plan(group([longer, other]), running, now + 60_000).terminate).toEqual([]);
    expect(plan(group([longer, other]), running, now + 110_000).terminate).toEqual(["i-1"]);
  });

  test("one that leaves is replaced at once, and terminated when its hook is completed", () => {
    const [first, second] = pair;
    if (first === undefined || second === undefined) throw new Error("no pair");
    const out = leaving(first, hooks, now);
    const planned = plan(group([out, second]), running, now);
    expect(planned).toMatchObject({ launch: ["a"], terminate: [] });
    expect(planned.group.members[0]?.state).toBe("Terminating:Wait");
    const done = completed(out, "out", "CONTINUE");
    if (done === undefined) throw new Error("not completed");
    expect(plan(group([done, second]), running, now).terminate).toEqual(["i-1"]);
    expect(plan(group([done, second]), running, now).group.members).toHaveLength(2);
  });

  test("an unhealthy and a stopped one leave; one that has ended is no longer a member", () => {
    const [first, second] = pair;
    if (first === undefined || second === undefined) throw new Error("no pair");
    const unhealthy = plan(group([{ ...first, healthy: false }, second]), running, now);
    expect(unhealthy.group.members[0]?.state).toBe("Terminating:Wait");
    const stopped = plan(group(pair), (id) => (id === "i-1" ? "stopped" : "running"), now);
    expect(stopped.group.members[0]?.state).toBe("Terminating:Wait");
    const ended = plan(group(pair), (id) => (id === "i-1" ? "ended" : "running"), now);
    expect(ended.group.members).toEqual([second]);
    expect(ended.launch).toEqual(["a"]);
  });

  test("a smaller group gives up the oldest version of the fullest zone", () => {
    const three = [...pair, { ...inService("i-3", "a"), version: "2" }];
    const planned = plan(group(three, { hooks: [] }), running, now);
    expect(planned.terminate).toEqual(["i-1"]);
  });
});
