import { expect, test, vi } from "vitest";
import { hookNames, type HookState } from "../../bootstrap/aws/auto-scaling.ts";
import { Lifecycle } from "../../bootstrap/supervise/lifecycle.ts";

const after = 60;
const fine = { healthy: true, brokenFor: 0 };

function instance(target: string | undefined) {
  const where: { target: string | undefined } = { target };
  const told: string[] = [];
  const group = {
    complete: vi.fn<(hook: string) => Promise<HookState>>(async (hook: string) => {
      told.push(`complete ${hook}`);
      return await Promise.resolve("completed");
    }),
    heartbeat: vi.fn<(hook: string) => Promise<boolean>>(async (hook: string) => {
      told.push(`heartbeat ${hook}`);
      return await Promise.resolve(true);
    }),
    unhealthy: vi.fn<() => Promise<void>>(async () => {
      told.push("unhealthy");
      await Promise.resolve();
    }),
  };
  const standDown = vi.fn<() => Promise<void>>(async () => {
    told.push("stands down");
    await Promise.resolve();
  });
  const lifecycle = new Lifecycle(group, async () => await Promise.resolve(where.target), after);
  return { where, told, group, standDown, look: (standing = fine) => lifecycle.look(standing, standDown) };
}

test("an instance in no group asks nothing of one", async () => {
  const { told, look } = instance(undefined);
  await look({ healthy: true, brokenFor: 1000 });
  expect(told).toEqual([]);
});

test("it completes its launching hook once, when it is healthy, and asks for time until then", async () => {
  const { told, look } = instance("InService");
  await look({ healthy: false, brokenFor: 0 });
  await look({ healthy: false, brokenFor: 0 });
  expect(told).toEqual([`heartbeat ${hookNames.launching}`]);
  await look();
  await look();
  expect(told).toEqual([`heartbeat ${hookNames.launching}`, `complete ${hookNames.launching}`]);
});

test("it stands down before it lets its group end it", async () => {
  const { where, told, look } = instance("InService");
  await look();
  where.target = "Terminated";
  await look();
  await look();
  expect(told.slice(1)).toEqual(["stands down", `complete ${hookNames.terminating}`]);
});

test("a hook that the group does not wait for yet is asked for again, and one that is past is not", async () => {
  const { where, told, group, standDown, look } = instance("InService");
  group.complete.mockResolvedValueOnce("not yet").mockResolvedValueOnce("past");
  await look();
  await look();
  await look();
  expect(group.complete).toHaveBeenCalledTimes(2);
  where.target = "Terminated";
  group.complete.mockResolvedValueOnce("not yet");
  await look();
  await look();
  await look();
  expect(group.complete).toHaveBeenCalledTimes(4);
  expect(standDown).toHaveBeenCalledTimes(1);
  expect(told.at(-1)).toBe(`complete ${hookNames.terminating}`);
});

test("what the group did not hear is said again", async () => {
  const { told, group, look } = instance("Terminated");
  group.complete.mockRejectedValueOnce(new Error("not reachable"));
  await look();
  await look();
  expect(told.filter((line) => line.startsWith("complete"))).toEqual([`complete ${hookNames.terminating}`]);
});

test("it is unhealthy only after something on it was broken for long, and says so once", async () => {
  const { told, look } = instance("InService");
  await look({ healthy: true, brokenFor: after });
  expect(told).not.toContain("unhealthy");
  await look({ healthy: true, brokenFor: after + 1 });
  await look({ healthy: true, brokenFor: after + 2 });
  expect(told.filter((line) => line === "unhealthy")).toHaveLength(1);
});
