import { ModifyTargetGroupCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { ClusterTable } from "../../../../bootstrap/contract/record/table.ts";
import type { InstanceReport } from "../../../../bootstrap/contract/reports/instance.ts";
import type { NodeGroup } from "../../../../scripts/cluster/replace/group.ts";
import type { ReplaceState } from "../../../../scripts/cluster/replace/replace-state.ts";
import { Replacer, type Replacement, type Step } from "../../../../scripts/cluster/replace/replacer.ts";
import type { NodeStatus } from "../../../../scripts/cluster/status.ts";
import { type Target } from "../../../../scripts/target/target.ts";

/** An instance of an Auto Scaling group in memory. A launched instance is in service at the next poll. */
type Host = {
  readonly id: string;
  readonly version: string;
  lifecycle: "Pending:Wait" | "InService";
  role: InstanceReport["role"];
  /** Milliseconds since the last report. */
  reportAge: number;
};

const { world, terminateMember, saveReplaceState, switchOver, elb } = vi.hoisted(() => {
  const initial = {
    hosts: [] as Host[],
    launches: "1",
    /** Versions whose instances become ready. */
    good: ["1", "2"] as string[],
    /** Versions that the group launches first, because it began the launch earlier. */
    inFlight: [] as string[],
    count: 0,
    /** The earliest deadline of the budget. */
    next: undefined as { event: string; height: number; channelId: string } | undefined,
    /** Versions whose instances have a door. */
    withDoor: [] as string[],
    /** Polls after which the load balancer has checked the targets of the new version. */
    uncheckedPolls: 0,
  };
  return {
    world: initial,
    /** The target group of the cluster. */
    elb: { path: "/active", changes: [] as string[] },
    terminateMember: vi.fn<(target: unknown, id: string) => Promise<void>>(async (_target, id) => {
      initial.hosts = initial.hosts.filter((host) => host.id !== id);
      initial.count += 1;
      const version = initial.inFlight.shift() ?? initial.launches;
      initial.hosts.push({
        id: `i-${initial.count}`,
        version,
        lifecycle: "Pending:Wait",
        role: "waiting",
        reportAge: 0,
      });
      return await Promise.resolve();
    }),
    saveReplaceState: vi.fn<(target: unknown, group: unknown, state: ReplaceState) => Promise<void>>(),
    switchOver: vi.fn<
      (table: unknown, participants: { from: NodeStatus; to: NodeStatus }) => Promise<object>
    >(async (_table, { from, to }) => {
      for (const host of initial.hosts) {
        if (host.id === from.instanceId) host.role = "standby";
        if (host.id === to.instanceId) host.role = "active";
      }
      const at = new Date().toISOString();
      return await Promise.resolve({ stoppedAt: at, servingAt: at });
    }),
  };
});

vi.mock("../../../../scripts/cluster/replace/group.ts", () => ({
  terminateMember,
  saveReplaceState,
  completeTermination: async () => await Promise.resolve(),
  useVersion: async (_target: unknown, _group: unknown, { version }: { version: string }) => {
    world.launches = version;
    await Promise.resolve();
  },
  findGroup: async (): Promise<NodeGroup> =>
    await Promise.resolve({
      balancesZones: false,
      name: "group",
      desired: 2,
      template: { templateId: "lt-1", version: world.launches, imageId: "", userData: "", revision: "" },
      members: world.hosts.map(({ id, version, lifecycle }) => ({ instanceId: id, version, lifecycle })),
    }),
}));
vi.mock("../../../../scripts/cluster/switchover.ts", async (original) => ({
  ...(await original<object>()),
  switchOver,
}));
vi.mock("../../../../scripts/cluster/status.ts", async (original) => ({
  ...(await original<object>()),
  nodeStatuses: async () => await Promise.resolve(world.hosts.map(statusOf)),
}));
vi.mock("node:timers/promises", () => ({
  setTimeout: async (milliseconds: number) => {
    vi.advanceTimersByTime(milliseconds);
    advance();
    await Promise.resolve();
  },
}));

function statusOf({ id, version, role, reportAge }: Host): NodeStatus {
  const standby = {
    nodeId: "02aa",
    reasons: ["its reason"],
    eclair: { armed: "yes", armBeforeExpiry: false },
  };
  return {
    ...{
      instanceId: id,
      name: id,
      cluster: "demo",
      instanceState: "running",
      imageId: "ami-1",
      privateIp: "",
      availabilityZone: "",
    },
    ...{ targetHealth: version === "2" && world.uncheckedPolls > 0 ? ["initial"] : ["healthy"] },
    ...{ boot: { message: "done", failed: false, final: false } },
    report: {
      ...standby,
      targetGroupArns: ["arn:group"],
      ...(world.withDoor.includes(version) && { door: {} }),
      bitcoind: { known: true, blocks: 100, headers: 100 },
      budget: {
        summary: { computedAt: new Date().toISOString(), height: 100, unreadable: 0, next: world.next },
      },
      ...{ role, active: role === "active", ready: role === "active" || role === "standby" },
    } as unknown as InstanceReport,
    reportedAt: new Date(Date.now() - reportAge + 1).toISOString(),
  };
}

/** The next poll: launched instances are in service, and an instance takes a free lease. */
function advance(): void {
  world.uncheckedPolls -= 1;
  for (const host of world.hosts) {
    host.lifecycle = "InService";
    if (!world.good.includes(host.version) || host.role === "active" || host.reportAge > 0) continue;
    host.role = world.hosts.some(({ role }) => role === "active") ? "standby" : "active";
  }
}

const host = (id: string, version: string, role: Host["role"], reportAge = 0): Host => ({
  ...{ id, version, role, reportAge },
  lifecycle: "InService",
});

function replacer(wanted: Partial<Replacement> = {}): {
  readonly run: () => Promise<unknown>;
  steps: Step[];
} {
  const steps: Step[] = [];
  const move = { from: "1", to: "2", state: "rollingForward", reversible: true } as const;
  const names = { cluster: "demo", group: "group", templateId: "lt-1", requestedBy: "operator" };
  const replacement = {
    ...names,
    move,
    resumed: false,
    force: false,
    ignoreBudget: false,
    timeoutMinutes: 1,
    ...wanted,
  };
  const table = { name: "eclair-ami" } as ClusterTable;
  const client = () => ({ send: async (command: object) => await Promise.resolve(answerElb(command)) });
  const target = { name: "lab", client } as unknown as Target;
  const subject = new Replacer(target, table, replacement, (step) => steps.push(step));
  return { run: async () => await subject.run(), steps };
}
function answerElb(command: object): object {
  if (!(command instanceof ModifyTargetGroupCommand))
    return { TargetGroups: [{ TargetGroupArn: "arn:group", HealthCheckPath: elb.path }] };
  elb.path = command.input.HealthCheckPath ?? "";
  elb.changes.push(`${elb.path} after ${terminateMember.mock.calls.length} terminations`);
  return {};
}

const rollback = { from: "2", to: "1", state: "rollingBack", reversible: true } as const;
const terminated = () => terminateMember.mock.calls.map(([, id]) => id);
const savedStates = () => saveReplaceState.mock.calls.map(([, , last]) => last);

beforeEach(() => {
  vi.clearAllMocks();
  vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout"] });
  Object.assign(elb, { path: "/active", changes: [] });
  Object.assign(world, {
    next: undefined,
    withDoor: [],
    uncheckedPolls: 0,
    launches: "1",
    good: ["1", "2"],
    inFlight: [],
    count: 0,
  });
  world.hosts = [host("a", "1", "active"), host("b", "1", "standby")];
});

test("the standby is replaced first, then the node is switched over, then the other instance is replaced", async () => {
  const { run, steps } = replacer();
  await run();
  expect(steps.map(({ step }) => step)).toEqual([
    "version-changed",
    ...["terminating", "launched", "ready"],
    ...["switching-over", "serving"],
    ...["terminating", "launched", "ready"],
  ]);
  expect(terminated()).toEqual(["b", "a"]);
  expect(world.hosts.map(({ version }) => version)).toEqual(["2", "2"]);
  expect(savedStates().at(-1)).toMatchObject({ from: "1", to: "2", state: "done" });
});

test("target groups check /serving when the last instance without a door has left", async () => {
  world.withDoor = ["2"];
  await replacer().run();
  expect(elb.changes).toEqual(["/serving after 2 terminations"]);
});

test("target groups check /active before a rollback to instances without a door", async () => {
  Object.assign(world, { withDoor: ["2"], launches: "2" });
  world.hosts = [host("a", "2", "active"), host("b", "2", "standby")];
  elb.path = "/serving";
  await replacer({ move: rollback }).run();
  expect(elb.changes).toEqual(["/active after 0 terminations"]);
});

test("the node is not switched over to a target that the load balancer does not check yet", async () => {
  world.uncheckedPolls = 12;
  const { run, steps } = replacer();
  let uncheckedPolls: number | undefined;
  switchOver.mockImplementationOnce(async (table, participants) => {
    ({ uncheckedPolls } = world);
    return await switchOver(table, participants);
  });
  await run();
  expect(uncheckedPolls).toBeLessThanOrEqual(0);
  expect(steps.filter(({ step }) => step === "switching-over")).toHaveLength(1);
});

test("a path of the operator's own stays", async () => {
  world.withDoor = ["1", "2"];
  elb.path = "/health";
  await replacer().run();
  expect(elb.changes).toEqual([]);
});

test("when the new version does not become ready, the group returns to the old version and the active instance stays", async () => {
  world.good = ["1"];
  await expect(replacer().run()).rejects.toThrow(/after 1 minutes: its reason/);
  expect(terminated()).toEqual(["b", "i-1"]);
  expect(world.launches).toBe("1");
  expect(savedStates().at(-1)).toMatchObject({ from: "1", to: "1", state: "done" });
});

test("a replace does not begin with a standby that is not ready, and names its reason", async () => {
  world.good = [];
  world.hosts = [host("a", "1", "active"), host("b", "1", "waiting")];
  await expect(replacer().run()).rejects.toMatchObject({
    code: "replace.not-ready",
    message: "b is not ready: its reason",
  });
  expect(terminateMember).not.toHaveBeenCalled();
});

test("a replace does not begin without an active instance, or with an old report", async () => {
  world.good = [];
  world.hosts = [host("a", "1", "waiting"), host("b", "1", "waiting")];
  await expect(replacer().run()).rejects.toThrow(/0 active/);
  world.hosts = [host("a", "1", "active", 60_000), host("b", "1", "standby")];
  await expect(replacer().run()).rejects.toThrow(/1 active/);
  expect(terminateMember).not.toHaveBeenCalled();
  expect(saveReplaceState).not.toHaveBeenCalled();
});

test("a replace begins with enough blocks until a channel is closed, and checks again before the switchover", async () => {
  world.next = { event: "eclair-closes", height: 104, channelId: "aa" };
  await expect(replacer().run()).rejects.toMatchObject({ code: "budget.too-small" });
  expect(saveReplaceState).not.toHaveBeenCalled();
  const { run, steps } = replacer({ ignoreBudget: true });
  await run();
  expect(steps.map(({ step }) => step)).toContain("serving");

  world.hosts = [host("a", "1", "active"), host("b", "1", "standby")];
  world.next = { event: "eclair-closes", height: 105, channelId: "aa" };
  const late = replacer();
  terminateMember.mockImplementationOnce(async (target, id) => {
    world.next = { event: "eclair-closes", height: 103, channelId: "aa" };
    await terminateMember(target, id);
  });
  await expect(late.run()).rejects.toMatchObject({ code: "budget.too-small" });
  expect(late.steps.map(({ step }) => step)).toEqual(["version-changed", "terminating", "launched", "ready"]);
});

test("a member is terminated after the group has ended another activity", async () => {
  terminateMember.mockRejectedValueOnce(
    Object.assign(new Error("an activity is in progress"), { name: "ScalingActivityInProgressFault" }),
  );
  await replacer().run();
  expect(terminated()).toEqual(["b", "b", "a"]);
  terminateMember.mockRejectedValueOnce(Object.assign(new Error("no"), { name: "AccessDenied" }));
  await expect(replacer({ move: rollback }).run()).rejects.toThrow("no");
});

test("a rollback with an active instance makes one switchover", async () => {
  world.launches = "2";
  world.hosts = [host("a", "2", "active"), host("b", "2", "standby")];
  const { run, steps } = replacer({ move: rollback });
  await run();
  expect(terminated()).toEqual(["b", "a"]);
  expect(steps.filter(({ step }) => step === "switching-over")).toHaveLength(1);
  expect(savedStates().at(-1)).toMatchObject({ from: "1", to: "1", state: "done" });
});

describe("a forced rollback when no instance is active", () => {
  beforeEach(() => {
    world.good = ["1"];
    world.launches = "2";
    world.hosts = [host("a", "2", "waiting"), host("b", "2", "starting")];
  });

  test("replaces all instances, one after another", async () => {
    await replacer({ move: rollback, force: true }).run();
    expect(terminated()).toEqual(["a", "b"]);
    expect(world.hosts).toMatchObject([
      { version: "1", role: "active" },
      { version: "1", role: "standby" },
    ]);
    expect(savedStates().at(-1)).toMatchObject({ to: "1", state: "done" });
  });

  test("replaces an instance whose report is old, also when that report says active", async () => {
    world.hosts = [host("a", "2", "active", 60_000), host("b", "2", "waiting")];
    await replacer({ move: rollback, force: true }).run();
    expect(terminated()).toEqual(["a", "b"]);
  });

  test("switches over from an instance that reports that it is active", async () => {
    world.hosts = [host("a", "2", "active"), host("b", "2", "waiting")];
    const { run, steps } = replacer({ move: rollback, force: true });
    await run();
    expect(terminated()).toEqual(["b", "a"]);
    expect(steps.filter(({ step }) => step === "switching-over")).toMatchObject([
      { fromInstanceId: "a", toInstanceId: "i-1" },
    ]);
  });

  test("replaces an instance that the group launched from the bad version in the meantime", async () => {
    world.inFlight = ["2"];
    await replacer({ move: rollback, force: true }).run();
    expect(terminated()).toEqual(["a", "b", "i-1"]);
    expect(world.hosts.map(({ version }) => version)).toEqual(["1", "1"]);
  });

  test("keeps its state when the old version does not become ready either", async () => {
    world.good = [];
    await expect(replacer({ move: rollback, force: true }).run()).rejects.toThrow(/after 1 minutes/);
    expect(world.launches).toBe("1");
    expect(savedStates()).toMatchObject([rollback]);
  });
});

test("an unfinished rollback that fails can be continued, and the first replace can be continued", async () => {
  world.hosts = [host("a", "2", "active"), host("b", "2", "standby")];
  world.launches = "2";
  world.good = ["2"];
  await expect(replacer({ move: rollback, resumed: true }).run()).rejects.toThrow(/after 1 minutes/);
  expect(world.launches).toBe("2");
  expect(savedStates().at(-1)).toMatchObject({ from: "1", to: "2", state: "rollingForward" });
});
