import { expect, test, vi } from "vitest";
import type { HookState } from "../../../../bootstrap/aws/auto-scaling.ts";
import { hookNames } from "../../../../bootstrap/contract/lifecycle-hooks.ts";
import { GroupLifecycle, type Departure } from "../../../../bootstrap/supervisor/group/group-lifecycle.ts";
import { captureLog } from "../../../support/log-capture.ts";

captureLog();
let now = 1_000;
vi.mock(import("../../../../bootstrap/os/clock.ts"), () => ({ boottime: () => now }));

const unhealthyAfterSeconds = 60;
const healthyHost = { healthy: true, brokenForSeconds: 0 };

type Place = Pick<Departure, "isActive" | "isLastHolder" | "hasReadyStandby">;
const passive: Place = { isActive: false, isLastHolder: false, hasReadyStandby: false };
const active: Place = { isActive: true, isLastHolder: true, hasReadyStandby: false };
const activeWithStandby: Place = { ...active, hasReadyStandby: true };
/** The Eclair of this host has ended, and no other one has taken the lease. */
const ended: Place = { ...active, isActive: false };
const unreadable: Place = { ...passive, isLastHolder: undefined };

/** @param targetState the target lifecycle state of the instance; undefined outside a group */
function instance(targetState: string | undefined) {
  const metadata: { targetState: string | undefined } = { targetState };
  const calls: string[] = [];
  const group = {
    complete: vi.fn<(hook: string) => Promise<HookState>>(async (hook: string) => {
      calls.push(`complete ${hook}`);
      return await Promise.resolve("completed");
    }),
    heartbeat: vi.fn<(hook: string) => Promise<boolean>>(async (hook: string) => {
      calls.push(`heartbeat ${hook}`);
      return await Promise.resolve(true);
    }),
    heartbeatSeconds: vi.fn<(hook: string) => Promise<number>>(async () => await Promise.resolve(1_680)),
    protect: vi.fn<(isProtected: boolean) => Promise<void>>(async (isProtected: boolean) => {
      calls.push(isProtected ? "protect" : "unprotect");
      await Promise.resolve();
    }),
    unhealthy: vi.fn<() => Promise<void>>(async () => {
      calls.push("unhealthy");
      await Promise.resolve();
    }),
  };
  const standDown = vi.fn<() => Promise<void>>(async () => {
    calls.push("stand down");
    await Promise.resolve();
  });
  const handOver = vi.fn<() => Promise<void>>(async () => {
    calls.push("hand over");
    await Promise.resolve();
  });
  const disconnectPeers = vi.fn<() => Promise<void>>(async () => {
    calls.push("disconnect peers");
    await Promise.resolve();
  });
  const lifecycle = new GroupLifecycle(
    group,
    async () => await Promise.resolve(metadata.targetState),
    unhealthyAfterSeconds,
  );
  const poll = (health = healthyHost, node: Place = passive) =>
    lifecycle.poll(health, { ...node, handOver, standDown, disconnectPeers });
  return { metadata, calls, group, lifecycle, handOver, standDown, disconnectPeers, poll };
}

/** The heartbeat gives the drain the whole timeout of the hook. */
const leaving = [
  `heartbeat ${hookNames.terminating}`,
  "stand down",
  "disconnect peers",
  `complete ${hookNames.terminating}`,
];

test("an instance outside an Auto Scaling group makes no call to Auto Scaling", async () => {
  const { calls, poll } = instance(undefined);
  await poll({ healthy: true, brokenForSeconds: 1000 });
  expect(calls).toEqual([]);
});

test("an instance sends heartbeats until it is healthy, and then completes its launching hook once", async () => {
  const { calls, poll } = instance("InService");
  await poll({ healthy: false, brokenForSeconds: 0 });
  await poll({ healthy: false, brokenForSeconds: 0 });
  expect(calls).toEqual([`heartbeat ${hookNames.launching}`]);
  await poll();
  await poll();
  expect(calls).toEqual([`heartbeat ${hookNames.launching}`, `complete ${hookNames.launching}`, "unprotect"]);
});

test("an instance stops Eclair and disconnects its peers before it completes its terminating hook", async () => {
  const { metadata, calls, poll } = instance("InService");
  await poll();
  metadata.targetState = "Terminated";
  await poll();
  await poll();
  expect(calls.slice(1)).toEqual(leaving);
});

test("an instance completes a hook again when the group did not wait for it yet, and not when the hook is past", async () => {
  const { metadata, calls, group, standDown, poll } = instance("InService");
  group.complete.mockResolvedValueOnce("not-yet").mockResolvedValueOnce("past");
  await poll();
  await poll();
  await poll();
  expect(group.complete).toHaveBeenCalledTimes(2);
  metadata.targetState = "Terminated";
  group.complete.mockResolvedValueOnce("not-yet");
  await poll();
  await poll();
  await poll();
  expect(group.complete).toHaveBeenCalledTimes(4);
  expect(standDown).toHaveBeenCalledTimes(1);
  expect(calls.at(-1)).toBe(`complete ${hookNames.terminating}`);
});

test("an instance completes a hook again when the call failed", async () => {
  const { calls, group, poll } = instance("Terminated");
  group.complete.mockRejectedValueOnce(new Error("not reachable"));
  await poll();
  await poll();
  expect(calls.filter((call) => call.startsWith("complete"))).toEqual([`complete ${hookNames.terminating}`]);
});

test("an instance reports itself unhealthy, once, when a local service has not answered for too long", async () => {
  const { calls, poll } = instance("InService");
  await poll({ healthy: true, brokenForSeconds: unhealthyAfterSeconds });
  expect(calls).not.toContain("unhealthy");
  await poll({ healthy: true, brokenForSeconds: unhealthyAfterSeconds + 1 });
  await poll({ healthy: true, brokenForSeconds: unhealthyAfterSeconds + 2 });
  expect(calls.filter((call) => call === "unhealthy")).toHaveLength(1);
});

const terminatingHeartbeat = `heartbeat ${hookNames.terminating}`;

test("an active instance that its group terminates continues until another instance can take over", async () => {
  const { metadata, calls, group, poll } = instance("InService");
  await poll();
  metadata.targetState = "Terminated";
  await poll(healthyHost, active);
  await poll(healthyHost, active);
  expect(calls.slice(1)).toEqual([terminatingHeartbeat]);
  expect(group.heartbeatSeconds).toHaveBeenCalledWith(hookNames.terminating);
  await poll(healthyHost, activeWithStandby);
  expect(calls.slice(2)).toEqual(["hand over"]);
  await poll(healthyHost, { ...ended, hasReadyStandby: true });
  expect(calls).toHaveLength(3);
  await poll();
  expect(calls.slice(3)).toEqual(leaving);
});

test("an active instance whose standby does not take over stays, and hands over again", async () => {
  const { calls, lifecycle, poll } = instance("Terminated");
  await poll(healthyHost, activeWithStandby);
  expect(lifecycle.holdBackReason).toMatch(/the Auto Scaling group terminates this instance/);
  now += 16;
  expect(lifecycle.holdBackReason).toBeUndefined();
  await poll(healthyHost, ended);
  await poll(healthyHost, active);
  await poll(healthyHost, activeWithStandby);
  expect(calls).toEqual([terminatingHeartbeat, "hand over"]);
  now += 585;
  await poll(healthyHost, activeWithStandby);
  expect(calls.slice(2)).toEqual(["hand over"]);
});

test("an instance that waits for a standby stays while its Eclair restarts, and while the database is away", async () => {
  const { calls, standDown, poll } = instance("Terminated");
  await poll(healthyHost, active);
  now += 60;
  await poll(healthyHost, ended);
  now += 600;
  await poll(healthyHost, active);
  for (let count = 0; count < 10; count += 1) {
    now += 60;
    await poll(healthyHost, unreadable);
  }
  await poll(healthyHost, active);
  expect(standDown).not.toHaveBeenCalled();
  expect(calls).toEqual([terminatingHeartbeat]);
});

test("an instance leaves when the database cannot be read for half an hour", async () => {
  const { standDown, poll } = instance("Terminated");
  await poll(healthyHost, active);
  const seconds = 60;
  for (let count = 0; count < 1_800 / seconds; count += 1) {
    await poll(healthyHost, unreadable);
    now += seconds;
  }
  expect(standDown).not.toHaveBeenCalled();
  await poll(healthyHost, unreadable);
  expect(standDown).toHaveBeenCalledTimes(1);
});

test("an instance leaves when its Eclair does not start again", async () => {
  const { standDown, poll } = instance("Terminated");
  await poll(healthyHost, active);
  await poll(healthyHost, ended);
  now += 121;
  await poll(healthyHost, ended);
  expect(standDown).toHaveBeenCalledTimes(1);
});

test("a supervisor that has just started leaves only when it knows that the node does not need this host", async () => {
  const { metadata, calls, standDown, poll } = instance("Terminated");
  await poll(healthyHost, unreadable);
  await poll(healthyHost, ended);
  expect(standDown).not.toHaveBeenCalled();
  expect(calls).toEqual([terminatingHeartbeat]);
  metadata.targetState = "InService";
  await poll(healthyHost, unreadable);
  metadata.targetState = "Terminated";
  await poll();
  expect(standDown).toHaveBeenCalledTimes(1);
});

test("an active instance that waits for a standby sends a heartbeat before each timeout of the hook", async () => {
  const { calls, poll } = instance("Terminated");
  await poll(healthyHost, active);
  now += 1_679;
  await poll(healthyHost, active);
  expect(calls).toHaveLength(1);
  for (let count = 2; count <= 4; count += 1) {
    now += count === 2 ? 1 : 1_680;
    await poll(healthyHost, active);
    expect(calls).toEqual(Array(count).fill(`heartbeat ${hookNames.terminating}`));
  }
});

test("an active instance protects itself from the balancing of its group, and a passive instance does not", async () => {
  const { calls, poll } = instance("InService");
  await poll();
  await poll();
  await poll(healthyHost, activeWithStandby);
  await poll(healthyHost, activeWithStandby);
  await poll();
  expect(calls.slice(1)).toEqual(["unprotect", "protect", "unprotect"]);
});

test("an active instance keeps its protection while its Eclair restarts, and while the database is away", async () => {
  const { calls, poll } = instance("InService");
  await poll();
  await poll(healthyHost, active);
  await poll(healthyHost, ended);
  await poll(healthyHost, unreadable);
  expect(calls.slice(1)).toEqual(["protect"]);
});

test("a protection that fails is not requested again at every poll", async () => {
  const { group, poll } = instance("InService");
  group.protect.mockRejectedValue(new Error("denied"));
  await poll();
  for (let count = 0; count < 3; count += 1) await poll(healthyHost, active);
  expect(group.protect).toHaveBeenCalledTimes(1);
});
