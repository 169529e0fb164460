import type { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import { hookNames, type HookName } from "../contract/lifecycle-hooks.ts";
import { clientSettings, type AwsSettings } from "./clients.ts";

/** AWS' message for a hook that the group does not wait for. The error has no code of its own. */
const noAction = /No active Lifecycle Action/i;

/** The default of AWS for the timeout of a hook. */
const defaultHookSeconds = 3600;
const heartbeatMarginSeconds = 120;

/** `completed`: the group continues now. `past`: it continued before. `not-yet`: it does not wait for the hook yet. */
export type HookState = "completed" | "past" | "not-yet";

/** The Auto Scaling group of this instance, with the permissions of the instance's role. */
export class GroupMembership {
  private readonly aws: AwsSettings;
  private readonly instanceId: string;
  private group: string | undefined;
  private hookSeconds: number | undefined;

  constructor(aws: AwsSettings, instanceId: string) {
    this.aws = aws;
    this.instanceId = instanceId;
  }

  /**
   * Completes a lifecycle hook. AWS gives the same answer for a hook that is past and for a hook that the group does not
   * wait for yet, so the lifecycle state decides.
   */
  async complete(hook: HookName): Promise<HookState> {
    const { CompleteLifecycleActionCommand } = await sdk();
    const completed = await this.act((client, instance) =>
      client.send(
        new CompleteLifecycleActionCommand({
          ...instance,
          LifecycleHookName: hook,
          LifecycleActionResult: "CONTINUE",
        }),
      ),
    );
    if (completed) return "completed";
    const [instance] = await describeInstances(await newClient(this.aws), [this.instanceId]);
    return isPast(hook, instance?.LifecycleState) ? "past" : "not-yet";
  }

  /** Makes the group wait longer for a hook. */
  async heartbeat(hook: HookName): Promise<boolean> {
    const { RecordLifecycleActionHeartbeatCommand } = await sdk();
    return await this.act((client, instance) =>
      client.send(new RecordLifecycleActionHeartbeatCommand({ ...instance, LifecycleHookName: hook })),
    );
  }

  /**
   * How often a hook needs a heartbeat: some time before its timeout, so that a failed call can be repeated. Few heartbeats
   * matter, because AWS permits 100.
   */
  async heartbeatSeconds(hook: HookName): Promise<number> {
    this.hookSeconds ??= await this.readHookSeconds(hook);
    return Math.max(this.hookSeconds / 2, this.hookSeconds - heartbeatMarginSeconds);
  }

  private async readHookSeconds(hook: HookName): Promise<number> {
    const { DescribeLifecycleHooksCommand } = await sdk();
    const group = await this.groupName();
    if (group === undefined) return defaultHookSeconds;
    const { LifecycleHooks } = await (
      await newClient(this.aws)
    ).send(new DescribeLifecycleHooksCommand({ AutoScalingGroupName: group, LifecycleHookNames: [hook] }));
    return LifecycleHooks?.[0]?.HeartbeatTimeout ?? defaultHookSeconds;
  }

  /** Whether the group may choose this instance when it reduces or balances the group. */
  async protect(isProtected: boolean): Promise<void> {
    const { SetInstanceProtectionCommand } = await sdk();
    const group = await this.groupName();
    if (group === undefined) return;
    await (
      await newClient(this.aws)
    ).send(
      new SetInstanceProtectionCommand({
        AutoScalingGroupName: group,
        InstanceIds: [this.instanceId],
        ProtectedFromScaleIn: isProtected,
      }),
    );
  }

  private async groupName(): Promise<string | undefined> {
    this.group ??= (
      await describeInstances(await newClient(this.aws), [this.instanceId])
    )[0]?.AutoScalingGroupName;
    return this.group;
  }

  /** Makes the group replace this instance. */
  async unhealthy(): Promise<void> {
    const { SetInstanceHealthCommand } = await sdk();
    const client = await newClient(this.aws);
    await client.send(
      new SetInstanceHealthCommand({ InstanceId: this.instanceId, HealthStatus: "Unhealthy" }),
    );
  }

  /** @returns false when the group does not wait for the hook */
  private async act(
    call: (
      client: AutoScalingClient,
      instance: { AutoScalingGroupName: string; InstanceId: string },
    ) => Promise<unknown>,
  ): Promise<boolean> {
    const client = await newClient(this.aws);
    const group = await this.groupName();
    if (group === undefined) return false;
    try {
      await call(client, { AutoScalingGroupName: group, InstanceId: this.instanceId });
      return true;
    } catch (error) {
      if (error instanceof Error && noAction.test(error.message)) return false;
      throw error;
    }
  }
}

function isPast(hook: HookName, state: string | undefined): boolean {
  if (hook === hookNames.launching) return state !== undefined && !state.startsWith("Pending");
  return state === "Terminating:Proceed" || state === "Terminated";
}

/** Whether a group terminates one of these instances, although EC2 still reports it as running. */
export async function isLeavingGroup(instanceIds: readonly string[], aws: AwsSettings): Promise<boolean> {
  const instances = await describeInstances(await newClient(aws), instanceIds);
  return instances.some(({ LifecycleState }) => LifecycleState?.startsWith("Terminating"));
}

async function newClient(aws: AwsSettings): Promise<AutoScalingClient> {
  const { AutoScalingClient: Client } = await sdk();
  return new Client(clientSettings(aws));
}

async function describeInstances(client: AutoScalingClient, instanceIds: readonly string[]) {
  const { DescribeAutoScalingInstancesCommand } = await sdk();
  const { AutoScalingInstances = [] } = await client.send(
    new DescribeAutoScalingInstancesCommand({ InstanceIds: [...instanceIds] }),
  );
  return AutoScalingInstances;
}

/** Loaded on demand: an instance outside a group boots without the SDK. */
const sdk = () => import("@aws-sdk/client-auto-scaling");
