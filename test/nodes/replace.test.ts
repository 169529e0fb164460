import { beforeEach, describe, expect, test, vi } from "vitest";
import type { ClusterTable } from "../../bootstrap/record/table.ts";
import type { InstanceState } from "../../bootstrap/supervise/state.ts";
import type { LastReplace, NodeGroup } from "../../scripts/nodes/group.ts";
import { Replacer, type Replacement, type Step } from "../../scripts/nodes/replace.ts";
import type { NodeStatus } from "../../scripts/nodes/status.ts";
import type { Target } from "../../scripts/target/target.ts";

/** A group of two in memory: what it launches comes up at the next look, as its version lets it. */
type Host = {
  readonly id: string;
  readonly version: string;
  lifecycle: "Pending:Wait" | "InService";
  role: InstanceState["role"];
  /** Milliseconds for which it has told nothing. */
  silentFor: number;
};

const { world, endMember, remember, switchOver } = vi.hoisted(() => {
  const its = {
    hosts: [] as Host[],
    launches: "1",
    /** Versions whose Eclair comes up. */
    good: ["1", "2"] as string[],
    /** What is launched first all the same, in flight since before. */
    inFlight: [] as string[],
    count: 0,
  };
  return {
    world: its,
    endMember: vi.fn<(target: unknown, id: string) => Promise<void>>(async (_target, id) => {
      its.hosts = its.hosts.filter((host) => host.id !== id);
      its.count += 1;
      const version = its.inFlight.shift() ?? its.launches;
      its.hosts.push({
        id: `i-${its.count}`,
        version,
        lifecycle: "Pending:Wait",
        role: "waiting",
        silentFor: 0,
      });
      return await Promise.resolve();
    }),
    remember: vi.fn<(target: unknown, group: unknown, last: LastReplace) => Promise<void>>(),
    switchOver: vi.fn<(table: unknown, hand: { from: NodeStatus; to: NodeStatus }) => Promise<object>>(
      async (_table, { from, to }) => {
        for (const host of its.hosts) {
          if (host.id === from.instanceId) host.role = "standby";
          if (host.id === to.instanceId) host.role = "active";
        }
        const at = new Date().toISOString();
        return await Promise.resolve({ stoppedAt: at, servingAt: at });
      },
    ),
  };
});

vi.mock("../../scripts/nodes/group.ts", () => ({
  endMember,
  remember,
  useVersion: async (_target: unknown, _group: unknown, { version }: { version: string }) => {
    world.launches = version;
    await Promise.resolve();
  },
  groupOf: async (): Promise<NodeGroup> =>
    await Promise.resolve({
      name: "group",
      desired: 2,
      template: { templateId: "lt-1", version: world.launches, imageId: "", userData: "" },
      members: world.hosts.map(({ id, version, lifecycle }) => ({ instanceId: id, version, lifecycle })),
    }),
}));
vi.mock("../../scripts/nodes/switchover.ts", async (original) => ({
  ...(await original<object>()),
  switchOver,
}));
vi.mock("../../scripts/nodes/status.ts", async (original) => ({
  ...(await original<object>()),
  nodeStatuses: async () => await Promise.resolve(world.hosts.map(statusOf)),
}));
vi.mock("node:timers/promises", () => ({
  setTimeout: async (milliseconds: number) => {
    vi.advanceTimersByTime(milliseconds);
    comeUp();
    await Promise.resolve();
  },
}));

function statusOf({ id, role, silentFor }: Host): NodeStatus {
  const told = { nodeId: "02aa", reasons: ["its reason"], eclair: { armed: "yes", armsLate: false } };
  return {
    ...{
      instanceId: id,
      name: id,
      cluster: "demo",
      instance: "running",
      imageId: "ami-1",
      address: "",
      zone: "",
    },
    ...{ targetHealth: [], boot: { said: "done", failed: false, gaveUp: false } },
    state: {
      ...told,
      ...{ role, active: role === "active", ready: role === "active" || role === "standby" },
    } as unknown as InstanceState,
    toldAt: new Date(Date.now() - silentFor + 1).toISOString(),
  };
}

/** The next look: what was launched is there, and a free node is somebody's. */
function comeUp(): void {
  for (const host of world.hosts) {
    host.lifecycle = "InService";
    if (!world.good.includes(host.version) || host.role === "active" || host.silentFor > 0) continue;
    host.role = world.hosts.some(({ role }) => role === "active") ? "standby" : "active";
  }
}

const host = (id: string, version: string, role: Host["role"], silentFor = 0): Host => ({
  ...{ id, version, role, silentFor },
  lifecycle: "InService",
});

function replacer(wanted: Partial<Replacement> = {}): {
  readonly run: () => Promise<unknown>;
  steps: Step[];
} {
  const steps: Step[] = [];
  const move = { from: "1", to: "2", state: "going", reversible: true } as const;
  const names = { cluster: "demo", group: "group", templateId: "lt-1", by: "somebody" };
  const asked = { ...names, move, resumed: false, force: false, withinMinutes: 1, ...wanted };
  const table = { name: "eclair-ami" } as ClusterTable;
  const it = new Replacer({} as Target, table, asked, (step) => steps.push(step));
  return { run: async () => await it.run(), steps };
}
const back = { from: "2", to: "1", state: "back", reversible: true } as const;
const ended = () => endMember.mock.calls.map(([, id]) => id);
const remembered = () => remember.mock.calls.map(([, , last]) => last);

beforeEach(() => {
  vi.clearAllMocks();
  vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout"] });
  Object.assign(world, { launches: "1", good: ["1", "2"], inFlight: [], count: 0 });
  world.hosts = [host("a", "1", "active"), host("b", "1", "standby")];
});

test("the standby first, then the node is handed over, then the other one", async () => {
  const { run, steps } = replacer();
  await run();
  expect(steps.map(({ step }) => step)).toEqual([
    ...["version", "ending", "launched", "ready", "handing-over", "serving", "ending", "launched", "ready"],
  ]);
  expect(ended()).toEqual(["b", "a"]);
  expect(world.hosts.map(({ version }) => version)).toEqual(["2", "2"]);
  expect(remembered().at(-1)).toMatchObject({ from: "1", to: "2", state: "done" });
});

test("a new version that does not come up: the group goes back, and the active one was never touched", async () => {
  world.good = ["1"];
  await expect(replacer().run()).rejects.toThrow(/after 1 minutes: its reason/);
  expect(ended()).toEqual(["b", "i-1"]);
  expect(world.launches).toBe("1");
  expect(remembered().at(-1)).toMatchObject({ from: "1", to: "1", state: "done" });
});

test("nothing is begun where none is active, or one is silent", async () => {
  world.good = [];
  world.hosts = [host("a", "1", "waiting"), host("b", "1", "waiting")];
  await expect(replacer().run()).rejects.toThrow(/0 active/);
  world.hosts = [host("a", "1", "active", 60_000), host("b", "1", "standby")];
  await expect(replacer().run()).rejects.toThrow(/1 active/);
  expect(endMember).not.toHaveBeenCalled();
  expect(remember).not.toHaveBeenCalled();
});

test("a member that the group is busy with is ended once it may be", async () => {
  endMember.mockRejectedValueOnce(
    Object.assign(new Error("an activity is in progress"), { name: "ScalingActivityInProgressFault" }),
  );
  await replacer().run();
  expect(ended()).toEqual(["b", "b", "a"]);
  endMember.mockRejectedValueOnce(Object.assign(new Error("no"), { name: "AccessDenied" }));
  await expect(replacer({ move: back }).run()).rejects.toThrow("no");
});

test("back, where one serves: as there, with one handing over", async () => {
  world.launches = "2";
  world.hosts = [host("a", "2", "active"), host("b", "2", "standby")];
  const { run, steps } = replacer({ move: back });
  await run();
  expect(ended()).toEqual(["b", "a"]);
  expect(steps.filter(({ step }) => step === "handing-over")).toHaveLength(1);
  expect(remembered().at(-1)).toMatchObject({ from: "1", to: "1", state: "done" });
});

describe("back, by force, when no instance serves", () => {
  beforeEach(() => {
    world.good = ["1"];
    world.launches = "2";
    world.hosts = [host("a", "2", "waiting"), host("b", "2", "starting")];
  });

  test("all are ended, one after another", async () => {
    await replacer({ move: back, force: true }).run();
    expect(ended()).toEqual(["a", "b"]);
    expect(world.hosts).toMatchObject([
      { version: "1", role: "active" },
      { version: "1", role: "standby" },
    ]);
    expect(remembered().at(-1)).toMatchObject({ to: "1", state: "done" });
  });

  test("one that has been silent is ended, whatever it said last", async () => {
    world.hosts = [host("a", "2", "active", 60_000), host("b", "2", "waiting")];
    await replacer({ move: back, force: true }).run();
    expect(ended()).toEqual(["a", "b"]);
  });

  test("one that says it is active is not ended: the node is handed over", async () => {
    world.hosts = [host("a", "2", "active"), host("b", "2", "waiting")];
    const { run, steps } = replacer({ move: back, force: true });
    await run();
    expect(ended()).toEqual(["b", "a"]);
    expect(steps.filter(({ step }) => step === "handing-over")).toMatchObject([{ from: "a", to: "i-1" }]);
  });

  test("what the group launched on its own from the bad version is ended too", async () => {
    world.inFlight = ["2"];
    await replacer({ move: back, force: true }).run();
    expect(ended()).toEqual(["a", "b", "i-1"]);
    expect(world.hosts.map(({ version }) => version)).toEqual(["1", "1"]);
  });

  test("when what it goes back to does not come up either, it stays there, and the way back stays known", async () => {
    world.good = [];
    await expect(replacer({ move: back, force: true }).run()).rejects.toThrow(/after 1 minutes/);
    expect(world.launches).toBe("1");
    expect(remembered()).toMatchObject([back]);
  });
});

test("an unfinished replace that could not be taken back either can be gone on with, or taken back again", async () => {
  world.hosts = [host("a", "2", "active"), host("b", "2", "standby")];
  world.launches = "2";
  world.good = ["2"];
  await expect(replacer({ move: back, resumed: true }).run()).rejects.toThrow(/after 1 minutes/);
  expect(world.launches).toBe("2");
  expect(remembered().at(-1)).toMatchObject({ from: "1", to: "2", state: "going" });
});
