import type { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import { clientSettings, type AwsSettings } from "./clients.ts";

/** The lifecycle hooks that a group of nodes has; those of other names are others' to complete. */
export const hookNames = {
  launching: "eclair-ami-launching",
  terminating: "eclair-ami-terminating",
} as const;
export type HookName = (typeof hookNames)[keyof typeof hookNames];

/** AWS' words for a hook that is not waited for, which has no code of its own. */
const noAction = /No active Lifecycle Action/i;

/** How a hook stands: the group went on with it now, did so before, or does not wait for it yet. */
export type HookState = "completed" | "past" | "not yet";

/** The Auto Scaling group of an instance, as the instance's own role may speak to it. */
export class Membership {
  private readonly aws: AwsSettings;
  private readonly instanceId: string;
  private group: string | undefined;

  constructor(aws: AwsSettings, instanceId: string) {
    this.aws = aws;
    this.instanceId = instanceId;
  }

  /**
   * Lets the group go on with an instance. AWS says the same of a hook that is past and of one that is not waited for
   * yet, so that the instance's state has to tell.
   */
  async complete(hook: HookName): Promise<HookState> {
    const { CompleteLifecycleActionCommand } = await sdk();
    const done = await this.act((client, about) =>
      client.send(
        new CompleteLifecycleActionCommand({
          ...about,
          LifecycleHookName: hook,
          LifecycleActionResult: "CONTINUE",
        }),
      ),
    );
    if (done) return "completed";
    const [found] = await lifecycles(await clientOf(this.aws), [this.instanceId]);
    return isPast(hook, found?.LifecycleState) ? "past" : "not yet";
  }

  /** Asks the group to wait longer for a hook. */
  async heartbeat(hook: HookName): Promise<boolean> {
    const { RecordLifecycleActionHeartbeatCommand } = await sdk();
    return await this.act((client, about) =>
      client.send(new RecordLifecycleActionHeartbeatCommand({ ...about, LifecycleHookName: hook })),
    );
  }

  /** Has the group replace this instance. */
  async unhealthy(): Promise<void> {
    const { SetInstanceHealthCommand } = await sdk();
    const client = await clientOf(this.aws);
    await client.send(
      new SetInstanceHealthCommand({ InstanceId: this.instanceId, HealthStatus: "Unhealthy" }),
    );
  }

  /** @returns false when the group waits for no such hook now */
  private async act(
    call: (
      client: AutoScalingClient,
      about: { AutoScalingGroupName: string; InstanceId: string },
    ) => Promise<unknown>,
  ): Promise<boolean> {
    const client = await clientOf(this.aws);
    this.group ??= (await lifecycles(client, [this.instanceId]))[0]?.AutoScalingGroupName;
    if (this.group === undefined) return false;
    try {
      await call(client, { AutoScalingGroupName: this.group, InstanceId: this.instanceId });
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

/** Whether one of these instances is on its way out of its group, though EC2 still calls it running. */
export async function someLeaveTheirGroup(
  instanceIds: readonly string[],
  aws: AwsSettings,
): Promise<boolean> {
  const found = await lifecycles(await clientOf(aws), instanceIds);
  return found.some(({ LifecycleState }) => LifecycleState?.startsWith("Terminating"));
}

async function clientOf(aws: AwsSettings): Promise<AutoScalingClient> {
  const { AutoScalingClient: Client } = await sdk();
  return new Client(clientSettings(aws));
}

async function lifecycles(client: AutoScalingClient, instanceIds: readonly string[]) {
  const { DescribeAutoScalingInstancesCommand } = await sdk();
  const { AutoScalingInstances = [] } = await client.send(
    new DescribeAutoScalingInstancesCommand({ InstanceIds: [...instanceIds] }),
  );
  return AutoScalingInstances;
}

/** Read when it is wanted: an instance that is in no group boots without it. */
const sdk = () => import("@aws-sdk/client-auto-scaling");
