import { beforeEach, expect, test, vi } from "vitest";
import { GroupMembership } from "../../../bootstrap/aws/auto-scaling.ts";
import { hookNames } from "../../../bootstrap/contract/lifecycle-hooks.ts";
import type { FakeCommand } from "../../support/aws-command.ts";

const aws = vi.hoisted(() => ({
  calls: [] as FakeCommand[],
  group: "demo" as string | undefined,
  lifecycleState: "Terminating:Wait",
  hookSeconds: undefined as number | undefined,
  waitsForHook: true,
}));
vi.mock("@aws-sdk/client-auto-scaling", async () => {
  const { fakeCommand: command } = await import("../../support/aws-command.ts");
  const results: Readonly<Record<string, () => object>> = {
    describe: () => ({
      AutoScalingInstances:
        aws.group === undefined
          ? []
          : [{ AutoScalingGroupName: aws.group, LifecycleState: aws.lifecycleState }],
    }),
    hooks: () => ({ LifecycleHooks: [{ HeartbeatTimeout: aws.hookSeconds }] }),
  };
  return {
    AutoScalingClient: class {
      async send({ name, input }: FakeCommand): Promise<object> {
        aws.calls.push({ name, input });
        if ((name === "heartbeat" || name === "complete") && !aws.waitsForHook)
          throw new Error("ValidationError: No active Lifecycle Action found with instance ID i-1");
        return await Promise.resolve(results[name]?.() ?? {});
      }
    },
    CompleteLifecycleActionCommand: command("complete"),
    DescribeAutoScalingInstancesCommand: command("describe"),
    DescribeLifecycleHooksCommand: command("hooks"),
    RecordLifecycleActionHeartbeatCommand: command("heartbeat"),
    SetInstanceHealthCommand: command("health"),
    SetInstanceProtectionCommand: command("protect"),
  };
});

const membership = () => new GroupMembership({ region: "us-east-1" }, "i-1");
const callsOf = (name: string) => aws.calls.filter((call) => call.name === name).map(({ input }) => input);

beforeEach(() => {
  aws.calls.length = 0;
  Object.assign(aws, {
    group: "demo",
    lifecycleState: "Terminating:Wait",
    hookSeconds: 1_800,
    waitsForHook: true,
  });
});

test("a heartbeat names the group, the instance and the hook", async () => {
  expect(await membership().heartbeat(hookNames.terminating)).toBe(true);
  expect(callsOf("heartbeat")).toEqual([
    { AutoScalingGroupName: "demo", InstanceId: "i-1", LifecycleHookName: hookNames.terminating },
  ]);
});

test.each([
  [1_800, 1_680],
  [7_200, 7_080],
  [60, 30],
  [undefined, 3_480],
])("a hook with a timeout of %s s gets a heartbeat every %s s", async (hookSeconds, everySeconds) => {
  aws.hookSeconds = hookSeconds;
  const group = membership();
  expect(await group.heartbeatSeconds(hookNames.terminating)).toBe(everySeconds);
  await group.heartbeatSeconds(hookNames.terminating);
  expect(callsOf("hooks")).toHaveLength(1);
});

test("a hook that the group does not wait for yet, and one that is past", async () => {
  expect(await membership().complete(hookNames.terminating)).toBe("completed");
  aws.waitsForHook = false;
  expect(await membership().complete(hookNames.terminating)).toBe("not-yet");
  aws.lifecycleState = "Terminating:Proceed";
  expect(await membership().complete(hookNames.terminating)).toBe("past");
  expect(await membership().heartbeat(hookNames.terminating)).toBe(false);
  expect(await membership().complete(hookNames.launching)).toBe("past");
});

test("an instance outside a group makes no change", async () => {
  aws.group = undefined;
  expect(await membership().heartbeat(hookNames.terminating)).toBe(false);
  await membership().protect(true);
  expect(aws.calls.map(({ name }) => name)).toEqual(["describe", "describe"]);
});
