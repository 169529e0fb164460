import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import type { ClusterSetup, SetupTask } from "../../bootstrap/contract/configuration/cluster-setup.ts";
import { isErrorCode } from "../../bootstrap/contract/error-codes.ts";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import type { LoggedError, LogLine } from "../../bootstrap/contract/log.ts";
import { ClusterTable, documentClient } from "../../bootstrap/contract/record/table.ts";
import { SetupResult } from "../../bootstrap/contract/reports/setup.ts";
import { tags } from "../../bootstrap/contract/tags.ts";
import type { Target } from "../target/target.ts";
import { bootstrapEvents, consoleOutput } from "./console.ts";
import { requireImage, templateReference, type KnownImage } from "./launch.ts";

export type SetupInstance = {
  readonly image: KnownImage;
  /** Supplies subnet, security groups and instance type. */
  readonly launchTemplate: string;
  /** The instance profile whose role alone may read the owner's secret. */
  readonly instanceProfile: string;
};

const timeoutMilliseconds = { lab: 120_000, aws: 600_000 } as const;
/** EC2 can publish the end of an instance's console after the instance ended. */
const consoleDelayMilliseconds = { lab: 1_000, aws: 60_000 } as const;
const pollMilliseconds = { lab: 500, aws: 5_000 } as const;

/** Starts a short-lived instance of the image that does one task for a cluster, and terminates it in every case. */
export async function runClusterSetup(
  target: Target,
  setup: ClusterSetup,
  task: Omit<SetupTask, "id">,
  instance: SetupInstance,
  signal: AbortSignal,
): Promise<SetupResult> {
  const id = randomUUID();
  const operation = `${task.action} of ${setup.cluster}`;
  await requireImage(target, instance.image, setup.chain);
  const instanceId = await start(target, { ...setup, task: { ...task, id } }, instance);
  try {
    const table = new ClusterTable(
      documentClient(target.client(DynamoDBClient)),
      setup.record.table,
      setup.cluster,
    );
    const result = await waitForResult({ target, table, instanceId, id, operation, signal });
    if (result.succeeded) return result;
    throw errorOf(operation, result.error ?? { message: "the instance reported no error" });
  } finally {
    await target.client(EC2Client).send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
  }
}

/** An error that the instance reported, as an error of this command. */
function errorOf(
  operation: string,
  { code = "", message, remedy, mayHaveChanged }: LoggedError,
): EclairAmiError {
  return new EclairAmiError({
    code: isErrorCode(code) ? code : "unexpected",
    operation,
    message,
    remedy: remedy ?? "read the console of the instance with `eclair-ami logs`",
    mayHaveChanged,
  });
}

async function start(target: Target, document: ClusterSetup, instance: SetupInstance): Promise<string> {
  const { launchTemplate, image, instanceProfile } = instance;
  const instanceTags = [
    { Key: tags.setup, Value: document.cluster },
    { Key: "Name", Value: `${document.cluster} (${document.task?.action})` },
  ];
  const { Instances } = await target.client(EC2Client).send(
    new RunInstancesCommand({
      LaunchTemplate: { ...templateReference(launchTemplate), Version: "$Default" },
      MinCount: 1,
      MaxCount: 1,
      ImageId: image.imageId,
      IamInstanceProfile: { Name: instanceProfile },
      UserData: Buffer.from(stringify(document)).toString("base64"),
      InstanceInitiatedShutdownBehavior: "terminate",
      TagSpecifications: [{ ResourceType: "instance", Tags: instanceTags }],
    }),
  );
  const instanceId = Instances?.[0]?.InstanceId;
  if (instanceId === undefined) throw new Error("EC2 started no instance");
  return instanceId;
}

type Wait = {
  readonly target: Target;
  readonly table: ClusterTable;
  readonly instanceId: string;
  /** The task's id. */
  readonly id: string;
  readonly operation: string;
  readonly signal: AbortSignal;
};

/** The result comes from the cluster table, or from the console when the table cannot be used. */
async function waitForResult(wait: Wait): Promise<SetupResult> {
  const { target, table, instanceId, id, operation, signal } = wait;
  const deadline = performance.now() + timeoutMilliseconds[target.name];
  let endedAt: number | undefined;
  for (;;) {
    if (signal.aborted) throw interrupted(wait);
    const stored = SetupResult.safeParse(await storedResult(table, id));
    if (stored.success) return stored.data;
    const events = bootstrapEvents(await consoleOutput(target, instanceId));
    const logged = resultIn(events, id);
    if (logged !== undefined) return logged;
    const last = events.at(-1);
    const timedOut = performance.now() > deadline;
    if (last?.error !== undefined && (timedOut || last.error.retryable !== true))
      throw errorOf(operation, last.error);
    if (await hasEnded(target, instanceId)) endedAt ??= performance.now();
    if (endedAt !== undefined && performance.now() - endedAt > consoleDelayMilliseconds[target.name])
      throw new EclairAmiError({
        code: "setup.instance-ended",
        operation,
        message: `${instanceId} ended before it sent a result`,
        remedy: "run the command again: it keeps everything that exists already",
      });
    if (timedOut)
      throw new EclairAmiError({
        code: "setup.timeout",
        operation,
        message: `${instanceId} sent no result in time${last === undefined ? "" : `; its last event was ${last.event}`}`,
        remedy: `read \`eclair-ami logs ${instanceId}\`, and check the launch template's subnet: the instance must reach the APIs of AWS and the database`,
      });
    await sleep(pollMilliseconds[target.name]);
  }
}

function resultIn(events: readonly LogLine[], id: string): SetupResult | undefined {
  for (const { event, result } of events) {
    if (event !== "cluster-setup.result") continue;
    const parsed = SetupResult.safeParse(result);
    if (parsed.success && parsed.data.id === id) return parsed.data;
  }
  return undefined;
}

const interrupted = ({ operation, instanceId }: Wait): EclairAmiError =>
  new EclairAmiError({
    code: "interrupted",
    operation,
    message: "the command was interrupted",
    remedy: "run the command again: it keeps everything that exists already",
    mayHaveChanged: `${instanceId} is terminated; what it created already exists`,
    exitCode: 130,
  });

/** The stored result. A table that does not exist, or that the caller may not read, has none. */
async function storedResult(table: ClusterTable, id: string): Promise<unknown> {
  try {
    return await table.setupResult(id);
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (["ResourceNotFoundException", "AccessDeniedException"].includes(name)) return undefined;
    throw error;
  }
}

async function hasEnded(target: Target, instanceId: string): Promise<boolean> {
  const found = await target
    .client(EC2Client)
    .send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }))
    // EC2 returns a new instance only after some time.
    .catch((error: unknown) =>
      error instanceof Error && error.name === "InvalidInstanceID.NotFound"
        ? undefined
        : Promise.reject(error as Error),
    );
  const state = found?.Reservations?.[0]?.Instances?.[0]?.State?.Name ?? "pending";
  return ["shutting-down", "terminated", "stopping", "stopped"].includes(state);
}
